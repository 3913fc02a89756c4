"""The comparison of the simulators' speeds: it runs, agrees and counts."""

import pytest

from bnnhw.sim.icarus.speed import compare_speed


@pytest.mark.cocotb
def test_compares_on_a_small_unit():
    speed = compare_speed(rows=16, cols=64, pe=4, simd=16)
    assert speed.macs == 64
    assert speed.lanes > 1
    assert speed.batch > speed.cocotb > 0

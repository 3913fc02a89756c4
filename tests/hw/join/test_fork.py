"""Fork: every output gives every beat, in the cycles of its flow, and none waits for another."""

import random

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.join.fork import Fork, fork_area
from bnnhw.hw.targets.ecp5 import ECP5

from .case import verify, with_stalls


@with_stalls
@pytest.mark.parametrize(("width", "outputs"), [(1, 2), (7, 3), (4, 5)])
def test_every_output_gives_every_beat(width, outputs, seed, stalls):
    beats = [random.Random(seed).getrandbits(width) for _ in range(100)]
    dut = Fork(width=width, outputs=outputs)
    verify(dut, {"i": beats}, {f"o{number}": beats for number in range(outputs)}, seed=seed, stalls=stalls)


def test_no_cycle_is_lost():
    beats = list(range(16))
    traces = verify(Fork(width=4, outputs=3), {"i": beats}, dict.fromkeys(("o0", "o1", "o2"), beats), stalls=(0, 0))
    assert {tuple(trace.cycles) for trace in traces.values()} == {tuple(range(16))}


@pytest.mark.toolchain
@pytest.mark.parametrize("outputs", [2, 3, 4])
def test_area(outputs):
    assert synthesise_alone(Fork(width=6, outputs=outputs), ECP5) == fork_area(outputs)


def test_outputs_are_checked():
    with pytest.raises(ValueError, match=r"^outputs=1 must be at least 2$"):
        Fork(width=4, outputs=1)


def test_repr_is_source():
    assert repr(Fork(width=4, outputs=3)) == "Fork(width=4, outputs=3)"

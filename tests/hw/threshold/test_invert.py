"""Invert against numpy: lanes, pixels, bits, stalls."""

import numpy as np
import pytest

from bnnhw.hw.threshold.invert import Invert
from tests.hw.pool.test_pool import to_beats
from tests.hw.scenario import run_scenario


@pytest.mark.parametrize(
    ("channels", "lanes", "pixels", "bits"), [(4, 4, 1, 1), (6, 2, 3, 1), (6, 3, 2, 3), (5, 1, 1, 2), (1, 1, 1, 1)]
)
@pytest.mark.parametrize("stalls", [(0, 0), (0.3, 0.5)])
def test_equals_numpy(channels, lanes, pixels, bits, stalls):
    rng = np.random.default_rng(channels)
    inverted = rng.integers(0, 2, channels).astype(bool)
    x = rng.integers(0, 1 << bits, (2, 3, 2 * pixels, channels))
    expected = to_beats(np.where(inverted, (1 << bits) - 1 - x, x), pixels, lanes, bits)
    unit = Invert(channels=inverted, lanes=lanes, pixels=pixels, bits=bits)
    trace = run_scenario(unit, to_beats(x, pixels, lanes, bits), outputs=len(expected), stalls=stalls)
    assert trace.outputs == expected
    assert trace.output_cycles == trace.input_cycles


def test_lanes_are_checked():
    with pytest.raises(ValueError, match=r"^lanes=3 must divide the 4 channels$"):
        Invert(channels=[True] * 4, lanes=3)

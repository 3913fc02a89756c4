"""Concat against numpy: channels of two and more inputs, pixels side by side, stalls."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.join.concat import Concat, concat_area
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.pool.test_pool import to_beats

from .case import verify, with_stalls


@with_stalls
@pytest.mark.parametrize(("channels", "pixels", "bits"), [((1, 1), 1, 1), ((2, 3), 2, 1), ((3, 1, 2), 3, 2)])
def test_equals_numpy(channels, pixels, bits, seed, stalls):
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(0, 1 << bits, (2, 4, 3 * pixels, each)) for each in channels]
    beats = {
        f"i{number}": to_beats(x, pixels, each, bits)
        for number, (x, each) in enumerate(zip(inputs, channels, strict=True))
    }
    expected = to_beats(np.concatenate(inputs, axis=-1), pixels, sum(channels), bits)
    dut = Concat(channels=channels, pixels=pixels, bits=bits)
    verify(dut, beats, {"o": expected}, seed=seed, stalls=stalls)


@pytest.mark.toolchain
@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_area(inputs):
    assert synthesise_alone(Concat(channels=[3] * inputs), ECP5) == concat_area(inputs)


@pytest.mark.parametrize("channels", [(), (3,), (2, 0)])
def test_channels_are_checked(channels):
    with pytest.raises(ValueError, match=r"^channels=\(.*\) must be those of 2 inputs at least, each at least 1$"):
        Concat(channels=channels)


def test_repr_is_source():
    assert repr(Concat(channels=[1, 2], pixels=3, bits=4)) == "Concat(channels=(1, 2), pixels=3, bits=4)"

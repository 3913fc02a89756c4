"""Split against numpy: parts that touch, overlap and leave channels out; stalls."""

import numpy as np
import pytest

from bnnhw.hw.join.split import Split
from tests.hw.pool.test_pool import to_beats

from .case import verify, with_stalls

# channels, parts, pixels, bits
CASES = [
    (2, ((0, 1), (1, 2)), 1, 1),
    (6, ((0, 4), (4, 6)), 2, 1),
    (5, ((2, 5), (0, 3), (4, 5)), 3, 2),
    (3, ((0, 3), (1, 2)), 1, 4),
]


@with_stalls
@pytest.mark.parametrize(("channels", "parts", "pixels", "bits"), CASES)
def test_equals_numpy(channels, parts, pixels, bits, seed, stalls):
    x = np.random.default_rng(seed).integers(0, 1 << bits, (2, 4, 3 * pixels, channels))
    expected = {
        f"o{number}": to_beats(x[..., start:stop], pixels, stop - start, bits)
        for number, (start, stop) in enumerate(parts)
    }
    dut = Split(channels=channels, parts=parts, pixels=pixels, bits=bits)
    verify(dut, {"i": to_beats(x, pixels, channels, bits)}, expected, seed=seed, stalls=stalls)


@pytest.mark.parametrize("part", [(-1, 1), (2, 2), (3, 5)])
def test_parts_are_checked(part):
    with pytest.raises(ValueError, match=r"^parts=.* must be \(start, stop\) with 0 <= start < stop <= channels=4$"):
        Split(channels=4, parts=((0, 1), part))


def test_repr_is_source():
    source = "Split(channels=4, parts=((0, 2), (2, 4)), pixels=3, bits=2)"
    assert repr(Split(channels=4, parts=[(0, 2), (2, 4)], pixels=3, bits=2)) == source

"""Serialise against numpy: frames of two and more inputs, elements of several widths, stalls."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.join.serialise import Serialise, serialise_area
from bnnhw.hw.targets.ecp5 import ECP5

from .case import verify, with_stalls


def pack(elements: np.ndarray, width: int) -> int:
    return sum(int(element) << (place * width) for place, element in enumerate(elements))


@with_stalls
@pytest.mark.parametrize(
    ("elements", "widths", "beats"), [(1, (1, 1), (1, 1)), (2, (3, 1), (4, 2)), (3, (2, 5, 4), (1, 3, 2))]
)
def test_equals_numpy(elements, widths, beats, seed, stalls):
    rng, frames = np.random.default_rng(seed), 5
    inputs = [
        rng.integers(0, 1 << width, (frames, count, elements)) for width, count in zip(widths, beats, strict=True)
    ]
    given = {
        f"i{number}": [pack(beat, width) for frame in each for beat in frame]
        for number, (each, width) in enumerate(zip(inputs, widths, strict=True))
    }
    expected = [pack(beat, max(widths)) for frame in range(frames) for each in inputs for beat in each[frame]]
    verify(Serialise(elements=elements, widths=widths, beats=beats), given, {"o": expected}, seed=seed, stalls=stalls)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("elements", "widths", "beats"), [(8, (8, 1), (64, 2)), (4, (8, 8), (1024, 1024)), (2, (12, 8, 1), (256, 8, 8))]
)
def test_area(elements, widths, beats):
    sizes = {"elements": elements, "widths": widths, "beats": beats}
    found, expected = synthesise_alone(Serialise(**sizes), ECP5), serialise_area(**sizes)
    assert found.ffs == expected.ffs
    assert found.logic == pytest.approx(expected.logic, rel=0.15)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"widths": (1,), "beats": (1,)}, r"widths=\(1,\) and beats=\(1,\) must be those of the same 2 inputs or more"),
        ({"widths": (1, 2), "beats": (1,)}, "widths=.* and beats=.* must be those of the same 2 inputs or more"),
        ({"widths": (1, 0), "beats": (1, 1)}, r"elements=2, widths=\(1, 0\), beats=\(1, 1\) must all be at least 1"),
    ],
)
def test_sizes_are_checked(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Serialise(elements=2, **sizes)


def test_repr_is_source():
    assert (
        repr(Serialise(elements=1, widths=[1, 2], beats=[3, 4])) == "Serialise(elements=1, widths=(1, 2), beats=(3, 4))"
    )

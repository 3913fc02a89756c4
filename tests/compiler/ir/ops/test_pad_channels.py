"""PadChannels: zeros before and behind, and what elements there are then."""

from typing import Any

import numpy as np
import pytest

from bnnhw.compiler.ir.ops import PadChannels
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, QuotientType, TensorType


@pytest.mark.parametrize(
    ("element", "padded"),
    [
        (IntType(3, 9), IntType(0, 9)),
        (IntType(-9, -3), IntType(-9, 0)),
        (IntType(-4, 8, 4), IntType(-4, 8, 4)),
        (IntType(-5, 5, 2), IntType(-5, 5)),
        (BinaryType(), IntType(-1, 1)),
        (QuotientType(IntType(2, 6, 2), 4), QuotientType(IntType(0, 6, 2), 4)),
        (FloatType(), FloatType()),
    ],
)
def test_zero_is_among_the_elements(element: Any, padded: Any) -> None:
    given = PadChannels(1, 2).infer(TensorType((4, 5, 3), element))
    assert given == TensorType((4, 5, 6), padded)


@pytest.mark.parametrize("shape", [(2, 3), (4, 5, 3)])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 0), (0, 1), (1, 2)])
def test_zeros_stand_before_and_behind(shape: tuple[int, ...], before: int, after: int) -> None:
    x = np.random.default_rng(0).integers(1, 9, (7, *shape))
    op = PadChannels(before, after)
    y = op.reference(x)
    assert np.array_equal(y[..., before : before + shape[-1]], x)
    assert y.sum() == x.sum()
    assert y.shape[1:] == op.infer(TensorType(shape, IntType(1, 8))).shape
    assert op.is_identity(TensorType(shape, IntType(1, 8))) == (before == after == 0)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^before=-1 and after=2 must be at least 0$"):
        PadChannels(-1, 2)
    with pytest.raises(ValueError, match=r"^pads the channels of images or vectors, not of a single number$"):
        PadChannels(1, 2).infer(TensorType((), IntType(0, 1)))

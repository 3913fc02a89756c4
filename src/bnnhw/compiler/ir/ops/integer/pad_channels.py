"""More channels, of zeros.

Tests: tests/compiler/ir/ops/test_pad_channels.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, QuotientType, TensorType


@stored_as("pad_channels")
@dataclass(frozen=True)
class PadChannels(Op):
    """y = x with channels of 0 before and behind its own: (.., C) -> (.., before + C + after)."""

    INTEGER = True
    HOMOGENEOUS = True

    before: int
    after: int

    def __post_init__(self):
        if min(self.before, self.after) < 0:
            raise ValueError(f"before={self.before} and after={self.after} must be at least 0")

    def is_identity(self, x: TensorType) -> bool:
        return self.before == self.after == 0

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if not x.shape:
            raise ValueError("pads the channels of images or vectors, not of a single number")
        match x.element:
            case QuotientType(sums, divisor):
                element = QuotientType(with_zero(sums), divisor)
            case FloatType():
                element = x.element
            case _:
                element = with_zero(x.element)
        return TensorType((*x.shape[:-1], self.before + x.shape[-1] + self.after), element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(self.before, self.after)])


def with_zero(element: IntType | BinaryType) -> IntType:
    """The integers of a type and 0."""
    lo, hi = min(element.lo, 0), max(element.hi, 0)
    step = element.step if element.lo % element.step == 0 else 1
    return IntType(lo, hi, step)

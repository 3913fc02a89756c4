"""The division of an average.

Tests: tests/test_convolutions.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.types import TensorType, quotient, require_exact_in_float32


@dataclass(frozen=True)
class Divide(Elementwise):
    """y = float32(x) / float32(divisor), rounded once: torch's average where x is the exact sum of `divisor` values.

    Behind sums of integer weights x may exceed 2^24 and the divisor is a power of two, so that this rounds once, too.
    """

    MONOTONE = True

    divisor: int

    @property
    def divides_by(self) -> int:
        return self.divisor

    def __post_init__(self):
        if self.divisor < 1:
            raise ValueError(f"divisor must be at least 1, not {self.divisor}")

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if self.divisor.bit_count() > 1:
            require_exact_in_float32(x)
        return TensorType(x.shape, quotient(x.element, self.divisor))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        return as_float32(x) / np.float32(self.divisor)

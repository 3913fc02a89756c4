"""Integer thresholds: what input binarisation, batch norm and sign become.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.types import BinaryType, FloatType, TensorType


@dataclass(frozen=True, eq=False)
class Threshold(Op):
    """y[…, c] = +1 if x[…, c] >= thresholds[c] else -1. thresholds: int64, (1,) for all channels alike or (C,)."""

    INTEGER = True
    RISING = True

    thresholds: NDArray[np.int64]

    def __post_init__(self):
        if self.thresholds.ndim != 1 or self.thresholds.dtype != np.int64:
            raise ValueError(
                f"thresholds must be an int64 vector, not {self.thresholds.dtype} of {self.thresholds.shape}"
            )

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            raise TypeError("reads float values; a Threshold compares integers")
        check_length("thresholds", self.thresholds, 1, x.shape[-1] if x.shape else 1)
        return TensorType(x.shape, BinaryType())

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.where(x >= self.thresholds, np.int64(1), np.int64(-1))

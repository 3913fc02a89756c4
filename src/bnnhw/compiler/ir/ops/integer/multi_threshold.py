"""Several integer thresholds a channel: what batch norm and an activation of several bits become.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType


@dataclass(frozen=True, eq=False)
class MultiThreshold(Op):
    """y[…, c] = least + how many of thresholds[:, c] are at most x[…, c]: an integer of `least` to least + levels.

    thresholds: int64 (levels, C), not falling along the levels.
    """

    INTEGER = True
    RISING = True

    thresholds: NDArray[np.int64]
    least: int = 0

    def __post_init__(self):
        if self.thresholds.ndim != 2 or self.thresholds.dtype != np.int64 or 0 in self.thresholds.shape:
            raise ValueError(
                f"thresholds must be int64 (levels, channels), not {self.thresholds.dtype} of {self.thresholds.shape}"
            )
        if (np.diff(self.thresholds, axis=0) < 0).any():
            raise ValueError("thresholds must not fall along the levels")

    @property
    def levels(self) -> int:
        return len(self.thresholds)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            raise TypeError("reads float values; a MultiThreshold compares integers")
        if not x.shape or x.shape[-1] != self.thresholds.shape[1]:
            raise ValueError(f"reads shape {x.shape}, but its thresholds want {self.thresholds.shape[1]} channels")
        return TensorType(x.shape, IntType(self.least, self.least + self.levels))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        y = np.full(x.shape, self.least, np.int64)
        for level in self.thresholds:
            y += x >= level
        return y

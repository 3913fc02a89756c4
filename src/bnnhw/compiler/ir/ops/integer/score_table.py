"""Exact scores by table: what an output batch norm becomes when it changes the order of the sums.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType


@dataclass(frozen=True, eq=False)
class ScoreTable(Op):
    """y[c] = table[c, (x[c] - lows[c]) // step]: for every sum that class c can reach, the rank of its float score.

    Ranks are dense and compare over all classes as the float32 scores do, ties included.
    table: (classes, entries) int64, at least 0; lows: (classes,) int64.
    """

    INTEGER = True

    table: NDArray[np.int64]
    lows: NDArray[np.int64]
    step: int

    def __post_init__(self):
        if self.table.ndim != 2 or self.table.dtype != np.int64 or self.table.min() < 0:
            raise ValueError(
                f"table must be int64 (classes, entries), at least 0, not {self.table.dtype} of {self.table.shape}"
            )
        if self.lows.shape != self.table.shape[:1] or self.step < 1:
            raise ValueError(
                f"lows must have one element a class and step be positive, not {self.lows.shape} and {self.step}"
            )

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType) or x.shape != self.lows.shape:
            raise ValueError(f"reads integers of shape {self.lows.shape}, not {x}")
        return TensorType(x.shape, IntType(0, int(self.table.max())))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return self.table[np.arange(len(self.lows)), (x - self.lows) // self.step]

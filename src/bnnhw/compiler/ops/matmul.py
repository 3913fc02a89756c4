"""The product of +-1 weights with integers or +-1 values: the work of a binary network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.types import BinaryType, Element, FloatType, IntType, TensorType

from .base import Op


@dataclass(frozen=True)
class Reachable:
    """The sums that a row can reach: lows[row] + step*k for k in [0, count). All rows reach equally many."""

    lows: NDArray[np.int64]
    step: int
    count: int

    @property
    def highs(self) -> NDArray[np.int64]:
        return self.lows + self.step * (self.count - 1)


@dataclass(frozen=True, eq=False)
class MatMul(Op):
    """y[o] = sum_i x[i]*weights[o, i], exactly. weights: (rows, cols) int8 of +-1."""

    weights: NDArray[np.int8]

    def __post_init__(self):
        if self.weights.ndim != 2 or self.weights.dtype != np.int8 or 0 in self.weights.shape:
            raise ValueError(
                f"weights must be int8 of shape (rows, cols), not {self.weights.dtype} of {self.weights.shape}"
            )
        if not (np.abs(self.weights) == 1).all():
            raise ValueError("weights must hold -1 and +1 only")

    @property
    def rows(self) -> int:
        return self.weights.shape[0]

    @property
    def cols(self) -> int:
        return self.weights.shape[1]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.shape != (self.cols,):
            raise ValueError(f"reads shape {x.shape}, but its weights want ({self.cols},)")
        reachable = self.reachable(x.element)
        return TensorType((self.rows,), IntType(int(reachable.lows.min()), int(reachable.highs.max())))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return x.astype(np.int64, copy=False) @ self.weights.T.astype(np.int64)

    def reachable(self, element: Element) -> Reachable:
        """Every sum that inputs of this element can make, row by row.

        +-1: -cols, -cols + 2, …, cols. Integers in [lo, hi]: every integer from ones*lo - others*hi to ones*hi -
        others*lo, where `ones` and `others` count the row's +1 and -1.
        """
        if isinstance(element, FloatType):
            raise TypeError("reads float values; a sign must come before every layer but the first")
        if isinstance(element, BinaryType):
            return Reachable(np.full(self.rows, -self.cols, np.int64), 2, self.cols + 1)
        ones = np.count_nonzero(self.weights == 1, axis=1).astype(np.int64)
        lows = ones * element.lo - (self.cols - ones) * element.hi
        return Reachable(lows, 1, self.cols * (element.hi - element.lo) + 1)

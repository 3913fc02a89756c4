"""What matrix product and convolution share: rows of +-1 weights, and the sums that each row can reach.

Tests: tests/compiler/passes/test_fold_batch_norm.py
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.types import Element, FloatType, IntType, TensorType


@dataclass(frozen=True, eq=False)
class Product(Op):
    """Sums of inputs times `weights`, int8 of +-1, whose first axis is the rows: each makes one output channel."""

    INTEGER = True

    weights: NDArray[np.int8]

    def __post_init__(self):
        if self.weights.dtype != np.int8 or self.weights.ndim != len(self.AXES) or 0 in self.weights.shape:
            wanted, shape = ", ".join(self.AXES), self.weights.shape
            raise ValueError(f"weights must be int8 of shape ({wanted}), not {self.weights.dtype} of {shape}")
        if not (np.abs(self.weights) == 1).all():
            raise ValueError("weights must hold -1 and +1 only")

    AXES = ("rows", "cols")
    """The names of the weights' axes."""

    @property
    def rows(self) -> int:
        return self.weights.shape[0]

    @property
    def cols(self) -> int:
        """Terms of each sum."""
        return self.weights[0].size

    def inverted(self, rows: NDArray[np.bool_]) -> Self:
        """This product with the weights of these rows inverted, and so their sums."""
        mask = rows.reshape(-1, *(1,) * (self.weights.ndim - 1))
        return replace(self, weights=np.where(mask, -self.weights, self.weights))

    @abstractmethod
    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the sums of an input of that shape. Raises ValueError where it does not fit."""

    def terms(self, element: Element) -> Element:
        """What the sums are made of, where the inputs are of this element."""
        return element

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        shape = self.output_shape(x.shape)
        reachable = self.reachable(x.element)
        return TensorType(shape, IntType(int(reachable.lows.min()), int(reachable.highs.max())))

    def reachable(self, element: Element) -> Reachable:
        """Every sum that inputs of this element can make, row by row.

        For inputs lo, lo + step, …, hi: ones*lo - others*hi, and from there in steps to ones*hi - others*lo, where
        `ones` and `others` count the row's +1 and -1. For +-1: -cols, -cols + 2, …, cols.
        """
        terms = self.terms(element)
        if isinstance(terms, FloatType):
            raise TypeError(
                "reads float values; a sign must come before every layer but the first (put a Sign or Quantise before "
                "it), and averages before a layer, one at most, must be of a power of two of elements"
            )
        ones = np.count_nonzero(self.weights.reshape(self.rows, -1) == 1, axis=1).astype(np.int64)
        lows = ones * terms.lo - (self.cols - ones) * terms.hi
        return Reachable(lows, terms.step, self.cols * (terms.count - 1) + 1)

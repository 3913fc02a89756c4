"""What matrix product and convolution share: rows of weights, and the sums that each row can reach.

Tests: tests/compiler/passes/test_fold_batch_norm.py
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product as choices
from operator import mul
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.types import Element, FloatType, IntType, TensorType

GREATEST = 2**11
"""Of integer weights, in magnitude."""
MOST_FACTORS = 16


@dataclass(frozen=True, eq=False)
class Product(Op):
    """Sums of inputs times `weights`, whose first axis is the rows: each makes one output channel.

    weights: int8 of +-1; or int16, integers by which multipliers multiply, or of which `split_weights` makes +-1.
    factors: where each weight is a sum of these integers, each times +1 or -1: ABC-Net's binary bases. Without any,
    integers are split into powers of two.
    """

    INTEGER = True

    weights: NDArray[Any]
    factors: tuple[int, ...] = field(default=(), kw_only=True)

    def __post_init__(self):
        is_known = self.weights.dtype in (np.int8, np.int16)
        if not is_known or self.weights.ndim != len(self.AXES) or 0 in self.weights.shape:
            wanted, shape = ", ".join(self.AXES), self.weights.shape
            raise ValueError(f"weights must be int8 or int16 of shape ({wanted}), not {self.weights.dtype} of {shape}")
        if self.is_binary and not (np.abs(self.weights) == 1).all():
            raise ValueError("weights of int8 must hold -1 and +1 only; other integers are int16")
        if not self.is_binary and (greatest := int(np.abs(self.weights.astype(np.int64)).max())) > GREATEST:
            raise ValueError(f"weights must lie within +-{GREATEST}, not reach {greatest}")
        self._check_factors()

    def _check_factors(self) -> None:
        if not self.factors:
            return
        if self.is_binary:
            raise ValueError(f"factors={self.factors} are for integer weights, and these are -1 and +1")
        if len(self.factors) > MOST_FACTORS:
            raise ValueError(f"there are {len(self.factors)} factors, and {MOST_FACTORS} are the most")
        sums = np.fromiter(signed_sums(self.factors), np.int64)
        if (wrong := np.setdiff1d(self.weights, sums)).size:
            raise ValueError(f"weight {wrong[0]} must be a sum of the factors {self.factors}, each times +1 or -1")

    AXES = ("rows", "cols")
    """The names of the weights' axes."""

    @property
    def is_binary(self) -> bool:
        """Whether weights are +-1."""
        return self.weights.dtype == np.int8

    def signs_of_factors(self) -> NDArray[np.int8]:
        """(factors, *weights.shape) of +-1 with weights = sum of factors[m]*signs[m]."""
        numbers, places = np.unique(self.weights, return_inverse=True)
        known = signed_sums(self.factors)
        signs = np.array([known[int(number)] for number in numbers], np.int8)  # (numbers, factors)
        return np.moveaxis(signs[places.reshape(self.weights.shape)], -1, 0)

    @property
    def most(self) -> int:
        """The greatest sum of a row's magnitudes: what its sums can be at most where inputs are +-1."""
        return self.cols if self.is_binary else int(self.magnitudes.max())

    @property
    def magnitudes(self) -> NDArray[np.int64]:
        """(rows,) sums of magnitudes of weights."""
        return np.abs(self._rows).sum(axis=1)

    @property
    def _rows(self) -> NDArray[np.int64]:
        return self.weights.reshape(self.rows, -1).astype(np.int64)

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
        lows, spread = reachable.lows, reachable.step * (reachable.count - 1) // max(1, self.most)  # of a term
        spans = self.magnitudes * spread
        return TensorType(shape, IntType(int(lows.min()), int((lows + spans).max())))

    def reachable(self, element: Element) -> Reachable:
        """Every sum that inputs of this element can make, row by row.

        For inputs lo, lo + step, …, hi: positive*lo - negative*hi, and from there in steps to positive*hi -
        negative*lo, where `positive` and `negative` are the sums of the row's weights of either sign. For +-1:
        -cols, -cols + 2, …, cols. Of rows whose weights differ in magnitude each is said to reach as many as any.
        """
        terms = self.terms(element)
        if isinstance(terms, FloatType):
            raise TypeError(
                "reads float values; a sign must come before every layer but the first (put a Sign or Quantise before "
                "it), and averages before a layer, one at most, must be of a power of two of elements"
            )
        positive = np.maximum(self._rows, 0).sum(axis=1)
        negative = np.maximum(-self._rows, 0).sum(axis=1)
        divisor = 1 if self.is_binary else max(1, int(np.gcd.reduce(self._rows, axis=None)))
        lows = positive * terms.lo - negative * terms.hi
        return Reachable(lows, divisor * terms.step, self.most // divisor * (terms.count - 1) + 1)


@lru_cache(maxsize=64)
def signed_sums(factors: tuple[int, ...]) -> Mapping[int, tuple[int, ...]]:
    """Each sum of the factors, times +1 or -1, and the first signs that make it."""
    signs = choices((1, -1), repeat=len(factors))
    return {sum(map(mul, factors, each)): each for each in reversed(list(signs))}

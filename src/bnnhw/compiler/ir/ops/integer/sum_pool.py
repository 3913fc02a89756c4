"""Sum pooling: average pooling without its division.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.windows import Pair, check_pair, over_windows, window_counts
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType


@stored_as("sum_pool")
@dataclass(frozen=True)
class SumPool(Op):
    """y[i, j, c] = the sum of x[i*sh + u, j*sw + v, c] over a window. kernel, stride: (height, width).

    n inputs lo, lo + step, …, hi make sums n*lo, n*lo + step, …, n*hi.
    """

    INTEGER = True
    HOMOGENEOUS = True

    kernel: Pair
    stride: Pair

    def __post_init__(self):
        check_pair("kernel", self.kernel, least=1)
        check_pair("stride", self.stride, least=1)

    @property
    def count(self) -> int:
        """Elements of a window."""
        return self.kernel[0] * self.kernel[1]

    def pooled(self, reachable: Reachable, x: TensorType) -> Reachable:
        return Reachable(reachable.lows * self.count, reachable.step, (reachable.count - 1) * self.count + 1)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        counts = window_counts(x.shape, self.kernel, self.stride)
        if isinstance(x.element, FloatType):
            raise TypeError("reads float values; a sum pooling adds integers")
        element = IntType(self.count * x.element.lo, self.count * x.element.hi, x.element.step)
        return TensorType((*counts, x.shape[2]), element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return over_windows(np.add, x.astype(np.int64, copy=False), self.kernel, self.stride)

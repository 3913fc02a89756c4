"""Max pooling.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.ops.kinds import Selection
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.windows import Pair, check_pair, over_windows, window_counts
from bnnhw.compiler.ir.types import TensorType


@stored_as("max_pool")
@dataclass(frozen=True, eq=False)
class MaxPool(Selection):
    """y[i, j, c] = the greatest x[i*sh + u, j*sw + v, c] of a window, the least one in channels where `minimum` is set.

    kernel, stride: (height, width). minimum: (C,) bool, or None where it is set nowhere. For bits, the greatest is
    their OR and the least their AND.
    """

    INTEGER = True
    HOMOGENEOUS = True

    kernel: Pair
    stride: Pair
    minimum: NDArray[np.bool_] | None = None

    def __post_init__(self):
        check_pair("kernel", self.kernel, least=1)
        check_pair("stride", self.stride, least=1)
        if self.minimum is not None and (self.minimum.dtype != np.bool_ or self.minimum.ndim != 1):
            raise ValueError(f"minimum must be a bool vector, not {self.minimum.dtype} of shape {self.minimum.shape}")

    def inverted(self, channels: NDArray[np.bool_]) -> "MaxPool":
        minimum = channels if self.minimum is None else channels ^ self.minimum
        return replace(self, minimum=minimum if minimum.any() else None)

    def moves_values(self, x: TensorType) -> bool:
        return True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        counts = window_counts(x.shape, self.kernel, self.stride)
        check_length("minimum", self.minimum, x.shape[2])
        return TensorType((*counts, x.shape[2]), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        greatest = over_windows(np.maximum, x, self.kernel, self.stride)
        if self.minimum is None:
            return greatest
        return np.where(self.minimum, over_windows(np.minimum, x, self.kernel, self.stride), greatest)

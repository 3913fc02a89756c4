"""Max pooling.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.ops.fields import Fields, sizes
from bnnhw.compiler.ir.ops.kinds import Selection
from bnnhw.compiler.ir.ops.stored import Plain, stored_as
from bnnhw.compiler.ir.ops.windows import Pair, check_pair, over_windows, window_counts
from bnnhw.compiler.ir.types import TensorType


@stored_as("max_pool")
@dataclass(frozen=True, eq=False)
class MaxPool(Selection):
    """y[i, j, c] = the greatest x[i*sh + u, j*sw + v, c] of a window, the least one in channels where `minimum` is set.

    kernel, stride, padding: (height, width); windows reach `padding` rows and columns, half a kernel at most, beyond
    the image, where there is nothing to choose. minimum: (C,) bool, or None where it is set nowhere. For bits, the
    greatest is their OR and the least their AND.
    """

    INTEGER = True
    HOMOGENEOUS = True

    kernel: Pair
    stride: Pair
    minimum: NDArray[np.bool_] | None = None
    padding: Pair = (0, 0)

    def __post_init__(self):
        check_pair("kernel", self.kernel, least=1)
        check_pair("stride", self.stride, least=1)
        check_pair("padding", self.padding, least=0)
        if any(2 * beyond > size for beyond, size in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(f"padding={self.padding} must be half of the kernel {self.kernel} at most")
        if self.minimum is not None and (self.minimum.dtype != np.bool_ or self.minimum.ndim != 1):
            raise ValueError(f"minimum must be a bool vector, not {self.minimum.dtype} of shape {self.minimum.shape}")

    def to_plain(self) -> Plain:
        pairs = {"kernel": self.kernel, "stride": self.stride}
        pairs |= {"padding": self.padding} if any(self.padding) else {}
        return Plain(op="max_pool", attributes=sizes(**pairs))

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        padding = values.optional_pair("padding", (0, 0))
        return cls(values.pair("kernel"), values.pair("stride"), padding=padding)

    def inverted(self, channels: NDArray[np.bool_]) -> "MaxPool":
        minimum = channels if self.minimum is None else channels ^ self.minimum
        return replace(self, minimum=minimum if minimum.any() else None)

    def moves_values(self, x: TensorType) -> bool:
        return True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        counts = window_counts(x.shape, self.kernel, self.stride, self.padding)
        check_length("minimum", self.minimum, x.shape[2])
        return TensorType((*counts, x.shape[2]), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        greatest = self._over_windows(np.maximum, x)
        return greatest if self.minimum is None else np.where(self.minimum, self._over_windows(np.minimum, x), greatest)

    def _over_windows(self, choose: np.ufunc, x: NDArray[Any]) -> NDArray[Any]:
        if any(self.padding):
            limits = np.finfo(x.dtype) if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype)
            never = limits.min if choose is np.maximum else limits.max
            x = np.pad(x, ((0, 0), *((beyond, beyond) for beyond in self.padding), (0, 0)), constant_values=never)
        return over_windows(choose, x, self.kernel, self.stride)

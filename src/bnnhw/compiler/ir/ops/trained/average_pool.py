"""Average pooling, as it was trained.

Tests: tests/test_convolutions.py
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.fields import Fields, sizes
from bnnhw.compiler.ir.ops.integer.sum_pool import SumPool
from bnnhw.compiler.ir.ops.kinds import Separable, Separated
from bnnhw.compiler.ir.ops.stored import Plain, stored_as
from bnnhw.compiler.ir.ops.windows import Pair, check_image, check_pair, window_counts
from bnnhw.compiler.ir.types import FloatType, QuotientType, TensorType, quotient, require_exact_in_float32

from .divide import Divide


@stored_as("average_pool", "global_average_pool")
@dataclass(frozen=True)
class AveragePool(Separable):
    """y[i, j, c] = the mean of x over a window, in float32: the sum, then one division.

    Where the inputs are integers the sum is exact, whatever its order; then `Divide(n)` of `SumPool` is the same bit
    for bit. kernel, stride: (height, width); both None for the whole image.
    """

    OBSTACLE = (
        "averages values that are no integers; put it directly behind a layer with binary weights and without scale "
        "and bias, or behind a sign"
    )

    kernel: Pair | None = None
    stride: Pair | None = None

    def __post_init__(self):
        if (self.kernel is None) != (self.stride is None):
            raise ValueError("kernel and stride must both be given, or neither")
        for name, pair in (("kernel", self.kernel), ("stride", self.stride)):
            if pair is not None:
                check_pair(name, pair, least=1)

    def to_plain(self) -> Plain:
        if self.kernel is None or self.stride is None:
            return Plain(op="global_average_pool")
        return Plain(op="average_pool", attributes=sizes(kernel=self.kernel, stride=self.stride))

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        return cls() if op == "global_average_pool" else cls(values.pair("kernel"), values.pair("stride"))

    def sum_pool(self, shape: tuple[int, ...]) -> SumPool:
        """The sums of images of that shape."""
        height, width, _ = check_image(shape)
        return SumPool(self.kernel or (height, width), self.stride or (height, width))

    def separated(self, x: TensorType, divisor: int) -> Separated:
        """Where x holds integers over a power of two, torch adds them in float32 exactly in any order, and divides
        once; so both round once, alike."""
        pool = self.sum_pool(x.shape)
        return Separated(pool, (Divide(pool.count * divisor),))

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        pool = self.sum_pool(x.shape)
        if isinstance(x.element, QuotientType):
            sums = pool.infer(TensorType(x.shape, x.element.sums))
            require_exact_in_float32(sums)
            return TensorType(sums.shape, quotient(sums.element, pool.count * x.element.divisor))
        if isinstance(x.element, FloatType):
            return TensorType((*window_counts(x.shape, pool.kernel, pool.stride), x.shape[2]), FloatType())
        sums = pool.infer(x)
        require_exact_in_float32(sums)
        return TensorType(sums.shape, quotient(sums.element, pool.count))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        image = torch.from_numpy(np.ascontiguousarray(as_float32(x))).permute(0, 3, 1, 2)
        if self.kernel is None:
            mean = functional.adaptive_avg_pool2d(image, 1)
        else:
            mean = functional.avg_pool2d(image, self.kernel, self.stride)
        return np.ascontiguousarray(mean.permute(0, 2, 3, 1).numpy())

"""Convolution, exactly.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.exact import as_values, exact_sums, exact_terms
from bnnhw.compiler.ir.ops.windows import Pair, check_image, check_pair, window_counts, windows
from bnnhw.compiler.ir.types import Element, FloatType, IntType

from .product import Product

BLOCK_ELEMENTS = 2**24
"""Elements of unrolled windows that the reference holds in memory at a time."""


@dataclass(frozen=True, eq=False)
class Conv(Product):
    """y[i, j, o] = sum over u, v, c of x[i*sh + u - ph, j*sw + v - pw, g*C' + c] * weights[o, u, v, c].

    x is (H, W, C) and equals `pad_value` beyond its border; g = o // (rows/groups) is the output's group, C' = C/groups
    its input channels. Windows that do not fit at the right and the lower end are left out, as in torch.

    weights: (rows, kernel height, kernel width, C'), as of any `Product`. stride: (sh, sw). padding: (ph, pw), at both
    ends.
    """

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    pad_value: int = 0
    groups: int = 1

    AXES = ("rows", "height", "width", "channels")

    def __post_init__(self):
        super().__post_init__()
        check_pair("stride", self.stride, least=1)
        check_pair("padding", self.padding, least=0)
        if self.groups < 1 or self.rows % self.groups:
            raise ValueError(f"groups must divide the {self.rows} rows, not be {self.groups}")

    @property
    def kernel(self) -> Pair:
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def channels(self) -> int:
        """Input channels."""
        return self.weights.shape[3] * self.groups

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if check_image(shape)[2] != self.channels:
            raise ValueError(f"reads shape {shape}, but its weights want {self.channels} channels")
        return *window_counts(shape, self.kernel, self.stride, self.padding), self.rows

    def terms(self, element: Element) -> Element:
        """The inputs, and `pad_value` where there is padding: 0 among +-1 makes them integers in [-1, 1]."""
        if not any(self.padding) or isinstance(element, FloatType):
            return element
        if element.lo <= self.pad_value <= element.hi and (self.pad_value - element.lo) % element.step == 0:
            return element
        return IntType(min(element.lo, self.pad_value), max(element.hi, self.pad_value))

    def unrolled(self, x: NDArray[Any], *, fill: int) -> NDArray[Any]:
        """The windows of x (N, H, W, C), which is `fill` beyond its border, group by group:
        (groups, N*down*across, kernel height*kernel width*C')."""
        (down, across), (height, width) = self.padding, self.kernel
        padded = np.pad(x, ((0, 0), (down, down), (across, across), (0, 0)), constant_values=fill)
        view = windows(padded, self.kernel, self.stride)
        n, rows, columns = view.shape[:3]
        grouped = view.reshape(n, rows, columns, self.groups, -1, height, width).transpose(3, 0, 1, 2, 5, 6, 4)
        return grouped.reshape(self.groups, n * rows * columns, self.cols)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        shape = self.output_shape(x.shape[1:])
        block = max(1, BLOCK_ELEMENTS // (shape[0] * shape[1] * self.cols * self.groups))
        terms = exact_terms(x, count=self.most)
        blocks = (terms[start : start + block] for start in range(0, max(1, len(x)), block))
        return np.concatenate([as_values(self._block(part, shape), x) for part in blocks])

    def _block(self, x: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        rows = self.weights.reshape(self.groups, -1, self.cols)
        parts = self.unrolled(x, fill=self.pad_value)
        sums = [exact_sums(part, weights) for part, weights in zip(parts, rows, strict=True)]
        return np.concatenate(sums, axis=1).reshape(len(x), *shape)

"""Bilinear upsampling without its division.

Tests: tests/compiler/ir/ops/test_bilinear.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.ops.windows import check_image
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType

BLOCKS = (1, 2, 4, 8)
"""The factors: powers of two, whose weights no float rounds."""


@dataclass(frozen=True)
class BilinearSums(Op):
    """(H, W, C) -> (H*b, W*b, C): y[i*b + u, j*b + v, c] = the sum of n(u, di) * n(v, dj) * x[i + di, j + dj, c] over
    di, dj of -1, 0, 1, x[-1] being x[0], and so at each border.

    n(u, di) = max(0, 2*b - |2*u + 1 - b - 2*b*di|): with b = 2 it is 1, 3, 0 and 0, 3, 1. All weights of a sum are
    (2*b)^2 together.
    """

    INTEGER = True

    block: int

    def __post_init__(self):
        if self.block not in BLOCKS:
            raise ValueError(f"block={self.block} must be one of {BLOCKS}")

    @property
    def total(self) -> int:
        """All weights of a sum together."""
        return (2 * self.block) ** 2

    def taps(self, phase: int) -> tuple[tuple[int, int], ...]:
        """Of a row, or a column, of a block: which of the three there are around the pixel it sees, and their weights;
        the others are 0."""
        beyond = 2 * phase + 1 - self.block
        if not beyond:
            return ((1, 2 * self.block),)
        return ((1, 2 * self.block - abs(beyond)), (0 if beyond < 0 else 2, abs(beyond)))

    def larger(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """The shape of what it makes of images of that shape."""
        height, width, channels = check_image(shape)
        return height * self.block, width * self.block, channels

    def pooled(self, reachable: Reachable, x: TensorType) -> Reachable:
        return Reachable(reachable.lows * self.total, reachable.step, (reachable.count - 1) * self.total + 1)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            raise TypeError("reads float values; the sums of a bilinear upsampling are of integers")
        element = IntType(self.total * x.element.lo, self.total * x.element.hi, x.element.step)
        return TensorType(self.larger(x.shape), element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        sums = x.astype(np.int64, copy=False)
        for axis in (1, 2):
            size = sums.shape[axis]
            padded = np.pad(sums, [(1, 1) if each == axis else (0, 0) for each in range(4)], mode="edge")
            phases = [
                sum(weight * padded.take(range(tap, tap + size), axis) for tap, weight in self.taps(phase))
                for phase in range(self.block)
            ]
            shape = [self.block * size if each == axis else of for each, of in enumerate(sums.shape)]
            sums = np.stack(phases, axis + 1).reshape(shape)
        return sums

"""Activations of several values, steps of one size from a zero of their own.

Tests: tests/compiler/passes/test_crossings.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.stored import stored_as

from .quantise import MAX_BITS, Neighbours


@stored_as("uniform_quantise")
@dataclass(frozen=True)
class UniformQuantise(Neighbours):
    """y = clip(rint(x / scale + zero_point), lo, hi) - zero_point in float32, halves to even: an integer.

    The Quant of QONNX (https://arxiv.org/abs/2206.07527) over its scale, so that sums of it are exact.
    """

    scale: float
    zero_point: int
    lo: int
    hi: int

    def __post_init__(self):
        with np.errstate(over="ignore"):
            scale = np.float32(self.scale)
        if not 0 < scale < np.inf:
            raise ValueError(f"scale={self.scale} must be a positive number of float32")
        if not self.lo < self.hi < self.lo + 2**MAX_BITS:
            raise ValueError(f"lo={self.lo} and hi={self.hi} must rise, and hold {2**MAX_BITS} integers at most")
        if not self.lo <= self.zero_point <= self.hi:
            raise ValueError(f"zero_point={self.zero_point} must lie between lo={self.lo} and hi={self.hi}")

    @property
    def least(self) -> int:
        return self.lo - self.zero_point

    @property
    def levels(self) -> int:
        return self.hi - self.lo

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        with np.errstate(over="ignore"):
            steps = as_float32(x) / np.float32(self.scale) + np.float32(self.zero_point)
        clipped = np.clip(np.rint(steps), np.float32(self.lo), np.float32(self.hi))
        return clipped.astype(np.int64) - self.zero_point

"""Activations of several values.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.integer.multi_threshold import MultiThreshold
from bnnhw.compiler.ir.ops.kinds import Activation
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import IntType, TensorType, require_exact_in_float32

MAX_BITS = 8


class Neighbours(Activation):
    """The integers least, least + 1, .., least + levels."""

    @property
    @abstractmethod
    def least(self) -> int: ...

    def reached(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        return self.reference(x) > np.arange(self.least, self.least + self.levels)[:, None, None]

    def thresholded(self, thresholds: NDArray[np.int64], channels: int) -> MultiThreshold:
        return MultiThreshold(np.tile(thresholds, channels // thresholds.shape[1]), self.least)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        return TensorType(x.shape, IntType(self.least, self.least + self.levels))


@stored_as("quantise")
@dataclass(frozen=True)
class Quantise(Neighbours):
    """y = round(min(max(x, 0), 1) * (2^bits - 1)) in float32, halves to even: an integer from 0 to 2^bits - 1.

    DoReFa-Net's activation (https://arxiv.org/abs/1606.06160) times 2^bits - 1, so that sums of it are exact.
    """

    bits: int

    def __post_init__(self):
        if not 1 <= self.bits <= MAX_BITS:
            raise ValueError(f"bits must lie between 1 and {MAX_BITS}, not {self.bits}")

    @property
    def least(self) -> int:
        return 0

    @property
    def levels(self) -> int:
        """How many there are above 0: the greatest value."""
        return 2**self.bits - 1

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        clipped = np.clip(as_float32(x), np.float32(0), np.float32(1))
        return np.rint(clipped * np.float32(self.levels)).astype(np.int64)


@stored_as("ternarise")
@dataclass(frozen=True)
class Ternarise(Neighbours):
    """y = round(min(max(x, -1), 1)), halves to even: +1 if x > 1/2, -1 if x < -1/2, else 0.

    GXNOR-Net's activation (https://arxiv.org/abs/1705.09283) with r = 1/2.
    """

    @property
    def least(self) -> int:
        return -1

    @property
    def levels(self) -> int:
        return 2

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.rint(np.clip(as_float32(x), np.float32(-1), np.float32(1))).astype(np.int64)

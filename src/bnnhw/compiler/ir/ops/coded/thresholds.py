"""Activations by thresholds as they are.

Tests: tests/compiler/passes/test_crossings.py
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.checks import parameter
from bnnhw.compiler.ir.ops.integer.multi_threshold import MultiThreshold
from bnnhw.compiler.ir.ops.kinds import Activation
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import IntType, TensorType, require_exact_in_float32

MOST_LEVELS = 255


@stored_as("thresholds")
@dataclass(frozen=True, eq=False)
class Thresholds(Activation):
    """y[.., c] = least + how many of the channel's thresholds are at most x[.., c], in float32. A NaN reaches none.

    It is FINN's MultiThreshold. thresholds: float32 (levels * channels,), those of a level side by side; none falls
    from level to level. channels: 1 where all have the same.
    """

    DEFINED_FOR_NAN = True

    thresholds: NDArray[np.float32]
    channels: int
    least: int

    def __post_init__(self):
        parameter("thresholds", self.thresholds)
        if self.channels < 1 or len(self.thresholds) % self.channels:
            raise ValueError(f"{len(self.thresholds)} thresholds are not as many for each of {self.channels} channels")
        if not 1 <= self.levels <= MOST_LEVELS:
            raise ValueError(f"there must be 1 to {MOST_LEVELS} thresholds a channel, not {self.levels}")
        if (np.diff(self.table, axis=0) < 0).any():
            raise ValueError("thresholds must not fall from level to level")
        if abs(self.least) > MOST_LEVELS:
            raise ValueError(f"least={self.least} must lie within +-{MOST_LEVELS}")

    @property
    def levels(self) -> int:
        return len(self.thresholds) // self.channels

    @property
    def table(self) -> NDArray[np.float32]:
        """(levels, 1) or (levels, C)."""
        return self.thresholds.reshape(-1, self.channels)

    @property
    def alike(self) -> bool:
        return self.channels == 1

    def of_channels(self, channels: NDArray[np.int64]) -> "Thresholds":
        if self.alike:
            return self
        return replace(self, thresholds=self.table[:, channels].ravel(), channels=len(channels))

    def reached(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        return as_float32(x) >= self.table[:, None, :]

    def thresholded(self, thresholds: NDArray[np.int64], channels: int) -> MultiThreshold:
        return MultiThreshold(np.tile(thresholds, channels // thresholds.shape[1]), self.least)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        if self.channels not in (1, x.shape[-1]):
            raise ValueError(f"has thresholds of {self.channels} channels, and reads {x.shape[-1]}")
        return TensorType(x.shape, IntType(self.least, self.least + self.levels))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        x = as_float32(inputs[0])
        y = np.full(x.shape, self.least, np.int64)
        for level in self.table:
            y += x >= level
        return y

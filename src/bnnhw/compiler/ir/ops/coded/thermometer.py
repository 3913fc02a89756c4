"""How many thresholds a float reaches.

Tests: tests/compiler/ir/ops/test_coded.py
"""

from dataclasses import dataclass
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


@stored_as("thermometer")
@dataclass(frozen=True, eq=False)
class Thermometer(Activation):
    """y = how many of the shifts v have x + v >= 1/2, in float32: an integer from 0 to their number.

    shifts: (levels,) float32, not rising, the same in all channels. A NaN reaches none. The bits x + v >= 1/2 are
    ABC-Net's binary activations, https://arxiv.org/abs/1711.11294, equations 7 and 8.
    """

    DEFINED_FOR_NAN = True

    shifts: NDArray[np.float32]

    def __post_init__(self):
        parameter("shifts", self.shifts)
        if not 1 <= len(self.shifts) <= MOST_LEVELS:
            raise ValueError(f"there must be 1 to {MOST_LEVELS} shifts, not {len(self.shifts)}")
        if (np.diff(self.shifts) > 0).any():
            raise ValueError("shifts must not rise")

    @property
    def levels(self) -> int:
        return len(self.shifts)

    def reached(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        return as_float32(x) + self.shifts[:, None, None] >= np.float32(0.5)

    def thresholded(self, thresholds: NDArray[np.int64], channels: int) -> MultiThreshold:
        return MultiThreshold(np.tile(thresholds, channels // thresholds.shape[1]))

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        return TensorType(x.shape, IntType(0, self.levels))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        y = np.zeros(x.shape, np.int64)
        for shift in self.shifts:
            y += as_float32(x) + shift >= np.float32(0.5)
        return y

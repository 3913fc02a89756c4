"""The rectifier that leaks, by one slope or a slope for each channel.

Tests: tests/compiler/passes/test_crossings.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.checks import check_length, parameter
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import stored_as


@stored_as("prelu")
@dataclass(frozen=True, eq=False)
class PRelu(Elementwise):
    """y[.., c] = x[.., c] where that is above 0, else x[.., c]*slope[c], rounded. slope: (1,) or (C,), at least 0, so
    that it rises. Source: He et al., https://arxiv.org/abs/1502.01852."""

    MONOTONE = True

    slope: NDArray[np.float32]

    def __post_init__(self):
        parameter("slope", self.slope)
        if (bad := np.flatnonzero(self.slope < 0)).size:
            raise ValueError(
                f"slope must be at least 0 where thresholds stand behind it, but channel {bad[0]} has "
                f"{self.slope[bad[0]]:g}; clamp it after each step of the training, or use RequantisedPReLU"
            )

    def check_channels(self, channels: int) -> None:
        check_length("slope", self.slope, 1, channels)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        x = as_float32(inputs[0])
        with np.errstate(invalid="ignore", under="ignore"):
            return np.where(x > 0, x, x * self.slope)

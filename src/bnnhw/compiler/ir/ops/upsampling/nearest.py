"""Each pixel as a block of equal pixels.

Tests: tests/compiler/ir/ops/test_rearrangements.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.kinds import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.windows import check_image
from bnnhw.compiler.ir.types import TensorType


@stored_as("upsample_nearest")
@dataclass(frozen=True)
class UpsampleNearest(Rearrangement):
    """(H, W, C) -> (H*b, W*b, C): y[i*b + u, j*b + v, c] = x[i, j, c], as torch's Upsample of mode "nearest"."""

    block: int

    def __post_init__(self):
        if self.block < 1:
            raise ValueError(f"block={self.block} must be at least 1")

    def channels_behind(self, *shapes: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        ((_, _, channels),) = shapes
        return (np.arange(channels),)

    def is_identity(self, x: TensorType) -> bool:
        return self.block == 1

    def moves_values(self, x: TensorType) -> bool:
        return True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        height, width, channels = check_image(x.shape)
        return TensorType((height * self.block, width * self.block, channels), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return x.repeat(self.block, axis=1).repeat(self.block, axis=2)

"""Channels of a pixel as a block of pixels.

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
from bnnhw.hls import rearrange


@stored_as("depth_to_space")
@dataclass(frozen=True)
class DepthToSpace(Rearrangement):
    """(H, W, C*b*b) -> (H*b, W*b, C): y[i*b + u, j*b + v, c] = x[i, j, (c*b + u)*b + v], as torch's PixelShuffle."""

    block: int

    def __post_init__(self):
        if self.block < 1:
            raise ValueError(f"block={self.block} must be at least 1")

    def channels_behind(self, *shapes: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        ((_, _, channels),) = shapes
        return (np.arange(channels) // self.block**2,)

    def is_identity(self, x: TensorType) -> bool:
        return self.block == 1

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        height, width, channels = check_image(x.shape)
        if channels % self.block**2:
            raise ValueError(f"block={self.block}: {self.block**2} must divide the {channels} channels")
        return TensorType((height * self.block, width * self.block, channels // self.block**2), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return rearrange.DepthToSpace(self.block).moved(x)

"""Blocks of pixels as channels of one pixel.

Tests: tests/compiler/ir/ops/test_rearrangements.py
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.kinds import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.windows import check_image
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hls import rearrange


@stored_as("space_to_depth")
@dataclass(frozen=True)
class SpaceToDepth(Rearrangement):
    """(H, W, C) -> (H/b, W/b, C*b*b): y[i, j, (c*b + u)*b + v] = x[i*b + u, j*b + v, c], as torch's PixelUnshuffle."""

    block: int

    def __post_init__(self):
        if self.block < 1:
            raise ValueError(f"block={self.block} must be at least 1")

    def is_identity(self, x: TensorType) -> bool:
        return self.block == 1

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        height, width, channels = check_image(x.shape)
        if height % self.block or width % self.block:
            raise ValueError(f"block={self.block} must divide the image's height and width, {(height, width)}")
        return TensorType((height // self.block, width // self.block, channels * self.block**2), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return rearrange.SpaceToDepth(self.block).moved(x)

"""An image without its borders.

Tests: tests/compiler/ir/ops/test_rearrangements.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.kinds import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.windows import Pair, check_image, check_pair
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hls import rearrange


@stored_as("crop")
@dataclass(frozen=True)
class Crop(Rearrangement):
    """y = x[top : H - bottom, left : W - right]; before = (top, left), after = (bottom, right)."""

    before: Pair
    after: Pair

    def __post_init__(self):
        check_pair("before", self.before, least=0)
        check_pair("after", self.after, least=0)

    def channels_behind(self, *shapes: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        ((_, _, channels),) = shapes
        return (np.arange(channels),)

    def is_identity(self, x: TensorType) -> bool:
        return not any((*self.before, *self.after))

    def moves_values(self, x: TensorType) -> bool:
        return True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        height, width, channels = check_image(x.shape)
        down = height - self.before[0] - self.after[0]
        across = width - self.before[1] - self.after[1]
        if min(down, across) < 1:
            raise ValueError(
                f"leaves out {self.before} rows and columns before and {self.after} after, and nothing of an image of "
                f"{(height, width)}; leave out less"
            )
        return TensorType((down, across, channels), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        (top, left), (bottom, right) = self.before, self.after
        return rearrange.Crop(top, bottom, left, right).moved(x)

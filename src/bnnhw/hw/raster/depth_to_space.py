"""DepthToSpace: channels of a pixel as a block of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Value

from .blocks import Blocks, BlocksShape

__all__ = ["DepthToSpace", "DepthToSpaceShape"]


@dataclass(frozen=True, kw_only=True)
class DepthToSpaceShape(BlocksShape):
    """Each pixel as a block of pixels with channels / block^2 channels each. `lanes` is a multiple of block^2, too."""

    @property
    def channels_each(self) -> int:
        return self.block**2

    @property
    def row_bits(self) -> int:
        return self.input_width // self.block

    @property
    def kept_rows(self) -> int:
        return self.block - 1

    @property
    def output_width(self) -> int:
        return self.row_bits


class DepthToSpace(Blocks):
    """o[y * b + u, x * b + v, c] = i[y, x, (c * b + u) * b + v], an output beat a cycle.

    Parameters and members: those of `Blocks`, of a `DepthToSpaceShape`.
    """

    def __init__(self, *, shape: DepthToSpaceShape):
        super().__init__(shape=shape)

    def rows(self, beat: Value) -> Sequence[Value]:
        shape, block = self.shape, self.shape.block

        def element(pixel: int, channel: int, u: int, v: int) -> Value:
            place = pixel * shape.lanes + (channel * block + u) * block + v
            return beat.word_select(place, shape.element_bits)

        return [
            Cat(
                element(pixel, channel, u, v)
                for pixel in range(shape.pixels)
                for v in range(block)
                for channel in range(shape.out_lanes)
            )
            for u in range(block)
        ]

    def row_of_pixels(self, row: Value) -> Value:
        return row

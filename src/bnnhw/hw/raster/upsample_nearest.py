"""UpsampleNearest: each pixel as a block of equal pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Value

from .blocks import Blocks, BlocksShape

__all__ = ["UpsampleNearest", "UpsampleNearestShape"]


@dataclass(frozen=True, kw_only=True)
class UpsampleNearestShape(BlocksShape):
    """Each pixel as a block of pixels like it. All rows of a block are the input row, so the memory has it once."""

    @property
    def channels_each(self) -> int:
        return 1

    @property
    def row_bits(self) -> int:
        return self.input_width

    @property
    def kept_rows(self) -> int:
        return 1

    @property
    def output_width(self) -> int:
        return self.input_width * self.block


class UpsampleNearest(Blocks):
    """o[y * b + u, x * b + v, c] = i[y, x, c] for 0 <= u, v < b, an output beat a cycle.

    Parameters and members: those of `Blocks`, of an `UpsampleNearestShape`.
    """

    def __init__(self, *, shape: UpsampleNearestShape):
        super().__init__(shape=shape)

    def rows(self, beat: Value) -> Sequence[Value]:
        return [beat, beat]

    def row_of_pixels(self, row: Value) -> Value:
        shape = self.shape
        pixels = [row.word_select(pixel, shape.lanes * shape.element_bits) for pixel in range(shape.pixels)]
        return Cat(pixel for pixel in pixels for _ in range(shape.block))

"""From a tile's sums to bits: thresholds, pooling, and the bits of all its rows side by side.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay

from .array.shape import ArrayShape

__all__ = ["BitWriter"]


class BitWriter(wiring.Component):
    """bit = 1 where sum < threshold, pooled over a window's tiles, for the pixels of one group.

    Parameters
    ----------
    shape : ArrayShape

    Members
    -------
    sums : In(group_pixels * group_rows * sum_width)
        Of a row group a cycle, in their order.
    thresholds : In(group_rows * sum_width), minimum : In(group_rows), rising : In(group_rows)
        Those of its rows; whether pooling takes the least bit of a window and not the greatest; whether bits are the
        other way round: 1 where sum >= threshold.
    valid : In(1)
        There are sums.
    first : In(1)
        The tile is a window's first one; with its sums.
    bits : Out(group_pixels * rows)
        row_groups + 1 cycles after the tile's first sums, until the next tile's.
    """

    sums: Signal
    thresholds: Signal
    minimum: Signal
    rising: Signal
    valid: Signal
    first: Signal
    bits: Signal

    def __init__(self, shape: ArrayShape):
        self.shape = shape
        super().__init__(
            {
                "sums": In(shape.group_pixels * shape.group_rows * shape.sum_width),
                "thresholds": In(shape.group_rows * shape.sum_width),
                "minimum": In(shape.group_rows),
                "rising": In(shape.group_rows),
                "valid": In(1),
                "first": In(1),
                "bits": Out(shape.group_pixels * shape.rows),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        valid, first = delay(m, Cat(self.valid, self.first), 1, name="tile")
        minimum = delay(m, self.minimum, 1, name="minimum")
        for pixel in range(shape.group_pixels):
            sums = self.sums.word_select(pixel, shape.group_rows * shape.sum_width)
            reached = Signal(shape.group_rows, name=f"reached{pixel}", reset_less=True)
            for row in range(shape.group_rows):
                is_below = sums.word_select(row, shape.sum_width) < self.thresholds.word_select(row, shape.sum_width)
                m.d.sync += reached[row].eq(is_below ^ self.rising[row])
            bits = Signal(shape.rows, name=f"bits{pixel}", reset_less=True)
            pooled = [
                Mux(first, reached[row], self._pooled(reached[row], bits[row], minimum[row]))
                for row in range(shape.group_rows)
            ]
            with m.If(valid):
                m.d.sync += bits.eq(Cat(bits[shape.group_rows :], *pooled))
            m.d.comb += self.bits.word_select(pixel, shape.rows).eq(bits)
        return m

    @staticmethod
    def _pooled(bit: Value, before: Value, minimum: Value) -> Value:
        return Mux(minimum, bit & before, bit | before)

"""Sums for the host: those of one pixel a tile, in the order in which they are made.

Tests: tests/hw/engine/test_engine.py
"""

from functools import reduce
from operator import or_

from amaranth.hdl import Array as Choice
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import WORD, EngineShape
from .wide_memory import WideMemory

__all__ = ["Results"]


class Results(wiring.Component):
    """A memory of words of `group_rows` sums, and what fills it.

    Members
    -------
    restart : In(1)
        The next sums are the first ones.
    sums : In(pixels * group_rows * sum_width)
        The array's.
    will_be_valid, pixel : In
        In the next cycle there are sums of pixel group 0; of the pixel asked for. Those of group g come g cycles later.
    address : In
        Of a sum: the word, and in its low bits the row.
    value : Out(WORD)
        The sum, BLOCK_RAM_LATENCY + 1 cycles later.
    """

    restart: Signal
    sums: Signal
    will_be_valid: Signal
    pixel: Signal
    address: Signal
    value: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "restart": In(1),
                "sums": In(array.pixels * array.group_rows * array.sum_width),
                "will_be_valid": In(1),
                "pixel": In((array.pixels - 1).bit_length()),
                "address": In((shape.results * array.group_rows - 1).bit_length()),
                "value": Out(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        rows = array.group_rows
        m.submodules.memory = memory = WideMemory(
            depth=self.shape.results, width=rows * WORD, column=rows * WORD, target=self.shape.target
        )
        valid, sums = self._chosen(m)
        m.d.comb += [
            memory.write_columns.eq(valid),
            memory.write_data.eq(
                Cat(
                    Cat(sums.word_select(row, array.sum_width), Const(0, WORD - array.sum_width)) for row in range(rows)
                )
            ),
        ]
        with m.If(valid):
            m.d.sync += memory.write_address.eq(memory.write_address + 1)
        with m.If(self.restart):
            m.d.sync += memory.write_address.eq(0)
        row_bits = (rows - 1).bit_length()
        m.d.comb += memory.read_address.eq(self.address[row_bits:])
        row = delay(m, self.address[:row_bits], BLOCK_RAM_LATENCY, name="row")
        m.d.sync += self.value.eq(memory.read_data.word_select(row, WORD) if row_bits else memory.read_data)
        return m

    def _chosen(self, m: Module) -> tuple[Signal, Signal]:
        """The sums of the pixel asked for: its group's, or of the others 0; all as late as those of the last group."""
        array = self.shape.array
        group_bits = array.group_rows * array.sum_width
        seen: list[Value] = []
        chosen: list[Value] = []
        for group in range(array.pixel_groups):
            soon = delay(m, Cat(self.will_be_valid, self.pixel), group, name=f"asked{group}_")
            here = Signal(name=f"here{group}")
            pixel_here = Signal(range(array.group_pixels), name=f"pixel_here{group}", reset_less=True)
            m.d.sync += [
                here.eq(soon[0] & (soon[1:] // array.group_pixels == group)),
                pixel_here.eq(soon[1:] % array.group_pixels),
            ]
            sums = Signal(group_bits, name=f"sums{group}", reset_less=True)
            is_seen = Signal(name=f"seen{group}")
            candidates = Choice(
                self.sums.word_select(group * array.group_pixels + pixel, group_bits)
                for pixel in range(array.group_pixels)
            )
            m.d.sync += [sums.eq(0), is_seen.eq(here)]
            with m.If(here):
                m.d.sync += sums.eq(candidates[pixel_here])
            still = array.pixel_groups - 1 - group
            seen.append(delay(m, is_seen, still, name=f"seen{group}_"))
            chosen.append(delay(m, sums, still, name=f"chosen{group}_"))
        valid = Signal()
        total = Signal(group_bits, name="sums", reset_less=True)
        m.d.sync += [valid.eq(reduce(or_, seen)), total.eq(reduce(or_, chosen))]
        return valid, total

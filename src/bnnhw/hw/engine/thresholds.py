"""The rows' thresholds, and the bits that tiles give by them.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay

from .bit_writer import BitWriter
from .engine_shape import WORD, EngineShape
from .wide_memory import WideMemory

__all__ = ["Thresholds"]


class Thresholds(wiring.Component):
    """A BitWriter for each group of pixels; what is said of the first group meets group g g cycles later.

    Members
    -------
    write : In(1), address : In(WORD), data : In(WORD)
        A word of the bus: of each row its threshold, and above it whether pooling takes the least bit, and, in an
        engine with values, whether a 1 is a number of at least the threshold.
    begin : In(1), parameters : In
        BLOCK_RAM_LATENCY + 1 cycles before a tile's first sums leave the array: where those of its rows begin.
    valid, first : In(1)
        Sums leave the array; the tile is its pooling window's first one.
    numbers : In(pixels * group_rows * sum_width)
        What is compared, shape.lane_latency cycles behind the sums.
    bits : Out(pixels * rows)
        shape.bits_latency - shape.sum_latency cycles after a tile's first sums, until the next tile's.
    """

    write: Signal
    address: Signal
    data: Signal
    begin: Signal
    parameters: Signal
    valid: Signal
    first: Signal
    numbers: Signal
    bits: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "write": In(1),
                "address": In(WORD),
                "data": In(WORD),
                "begin": In(1),
                "parameters": In((shape.parameters - 1).bit_length()),
                "valid": In(1),
                "first": In(1),
                "numbers": In(array.pixels * array.group_rows * array.sum_width),
                "bits": Out(array.pixels * array.rows),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape, array = self.shape, self.shape.array
        rows, width = array.group_rows, array.sum_width
        m.submodules.memory = memory = WideMemory(
            depth=shape.parameters, width=rows * WORD, column=WORD, target=shape.target
        )
        memory.connect_bus(m, self.write, self.address, self.data)
        m.d.sync += memory.read_address.eq(memory.read_address + 1)
        with m.If(self.begin):
            m.d.sync += memory.read_address.eq(self.parameters)
        words = [memory.read_data.word_select(row, WORD) for row in range(rows)]
        controls: Value = Cat(
            self.valid,
            self.first,
            *(word[width] for word in words),
            *(word[width + 1] if shape.values else 0 for word in words),
            *(word[:width] for word in words),
        )
        controls = delay(m, controls, shape.lane_latency, name="parameters_late")
        for group in range(array.pixel_groups):
            m.submodules[f"bits{group}"] = writer = BitWriter(array)
            m.d.comb += [
                writer.sums.eq(self.numbers.word_select(group, len(writer.sums))),
                Cat(writer.valid, writer.first, writer.minimum, writer.rising, writer.thresholds).eq(controls),
                self.bits.word_select(group, len(writer.bits)).eq(writer.bits),
            ]
            controls = delay(m, controls, 1, name=f"parameters{group}_")
        return m

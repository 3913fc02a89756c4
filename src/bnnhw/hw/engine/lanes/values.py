"""The memories of values: each pixel's, read for residuals and by the host, written by lanes.

Tests: tests/compiler/engine/test_values.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.pixel_words import word_of_pixels
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.logic.delays import delays

__all__ = ["Values"]


class Values(wiring.Component):
    """Words of `group_rows` values; what is said of the first group of pixels meets group g g cycles later.

    Members
    -------
    read_address : In(value_address_bits), words : Out(pixels * group_rows * VALUE_BITS)
        BLOCK_RAM_LATENCY cycles later.
    write : In(1), write_address : In(value_address_bits), data : In(pixels * group_rows * VALUE_BITS)
    by_host : In(1), address : In
        The host reads, and lanes do not: at an address of the bus.
    word : Out(WORD)
        word_latency(shape.array) cycles later.
    """

    read_address: Signal
    words: Signal
    write: Signal
    write_address: Signal
    data: Signal
    by_host: Signal
    address: Signal
    word: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        words = shape.array.pixels * shape.array.group_rows * VALUE_BITS
        super().__init__(
            {
                "read_address": In(shape.value_address_bits),
                "words": Out(words),
                "write": In(1),
                "write_address": In(shape.value_address_bits),
                "data": In(words),
                "by_host": In(1),
                "address": In(shape.result_address_bits),
                "word": Out(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        width = array.group_rows * VALUE_BITS
        read_addresses = delays(m, self.read_address, array.pixel_groups - 1, name="read_address")
        writes = delays(m, Cat(self.write, self.write_address), array.pixel_groups - 1, name="write")

        def read(pixel: int, address: Value) -> Value:
            group = pixel // array.group_pixels
            memory = WideMemory(depth=self.shape.values, width=width, column=width, target=self.shape.target)
            m.submodules[f"pixel{pixel}"] = memory
            m.d.comb += [
                memory.read_address.eq(Mux(self.by_host, address, read_addresses[group])),
                self.words.word_select(pixel, width).eq(memory.read_data),
                memory.write_columns.eq(writes[group][0]),
                memory.write_address.eq(writes[group][1:]),
                memory.write_data.eq(self.data.word_select(pixel, width)),
            ]
            return memory.read_data

        word = word_of_pixels(m, array, self.address, columns=width // WORD, read=read)
        m.d.comb += self.word.eq(word)
        return m

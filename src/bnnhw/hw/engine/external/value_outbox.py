"""The values that go to the external memory, until they have gone there.

Tests: tests/hw/engine/external/test_value_outbox.py
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.pixel_words import word_of_pixels
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.logic.delays import delays

__all__ = ["ValueOutbox"]


class ValueOutbox(wiring.Component):
    """A word of `group_rows` values of each pixel at every address, written by lanes as `Values` is.

    Members
    -------
    write : In(1), write_address : In(value_address_bits), data : In(pixels * group_rows * VALUE_BITS)
        As `Values` has them; only the low bits of the address count.
    address : In(WORD)
        Of a word of the bus: its part of a pixel's word; then the pixel; then the address.
    word : Out(WORD)
        word_latency(shape.array) cycles later.
    """

    write: Signal
    write_address: Signal
    data: Signal
    address: Signal
    word: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        super().__init__(
            {
                "write": In(1),
                "write_address": In(shape.value_address_bits),
                "data": In(shape.array.pixels * shape.array.group_rows * VALUE_BITS),
                "address": In(WORD),
                "word": Out(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        width = array.group_rows * VALUE_BITS
        writes = delays(m, Cat(self.write, self.write_address), array.pixel_groups - 1, name="write")

        def read(pixel: int, address: Value) -> Value:
            memory = WideMemory(depth=self.shape.outbox_words, width=width, column=width, target=self.shape.target)
            m.submodules[f"pixel{pixel}"] = memory
            write = writes[pixel // array.group_pixels]
            m.d.comb += [
                memory.write_columns.eq(write[0]),
                memory.write_address.eq(write[1:]),
                memory.write_data.eq(self.data.word_select(pixel, width)),
                memory.read_address.eq(address),
            ]
            return memory.read_data

        m.d.comb += self.word.eq(word_of_pixels(m, array, self.address, columns=width // WORD, read=read))
        return m

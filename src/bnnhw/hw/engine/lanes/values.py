"""The memories of values: each pixel's, read for residuals and by the host, written by lanes and on the bus.

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
    bus_write : In(1), bus_address : In(WORD), bus_data : In(WORD)
        A word of the bus: of a word its parts, lowest bits first; then the pixels; then the addresses. Where a lane
        writes in that cycle, it waits for one in which none does; further ones for that pixel, but the other parts of
        that word, come no sooner than row_groups cycles later. So `EngineShape.beats_of_values` and its check have it.
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
    bus_write: Signal
    bus_address: Signal
    bus_data: Signal
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
                "bus_write": In(1),
                "bus_address": In(WORD),
                "bus_data": In(WORD),
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
        buses = delays(m, Cat(self.bus_write, self.bus_address, self.bus_data), array.pixel_groups, name="bus")

        def read(pixel: int, address: Value) -> Value:
            group = pixel // array.group_pixels
            memory = WideMemory(depth=self.shape.values, width=width, column=WORD, target=self.shape.target)
            m.submodules[f"pixel{pixel}"] = memory
            by_lane, lane_address = writes[group][0], writes[group][1:]
            parts, place, word = self._from_bus(m, pixel, buses[group + 1], by_lane)
            m.d.comb += [
                memory.read_address.eq(Mux(self.by_host, address, read_addresses[group])),
                self.words.word_select(pixel, width).eq(memory.read_data),
                memory.write_columns.eq(Mux(by_lane, ~0, parts)),
                memory.write_address.eq(Mux(by_lane, lane_address, place)),
                memory.write_data.eq(Mux(by_lane, self.data.word_select(pixel, width), word)),
            ]
            return memory.read_data

        word = word_of_pixels(m, array, self.address, columns=width // WORD, read=read)
        m.d.comb += self.word.eq(word)
        return m

    def _from_bus(self, m: Module, pixel: int, bus: Value, is_busy: Value) -> tuple[Value, Value, Value]:
        """(parts, address, word): what the bus writes into a pixel's memory if a lane does not. It waits while that is
        busy."""
        array = self.shape.array
        columns = array.group_rows * VALUE_BITS // WORD
        low, high = (columns - 1).bit_length(), (array.pixels - 1).bit_length()
        write, address, word = bus[0], bus[1 : 1 + WORD], bus[1 + WORD :]
        here = write & (address[low : low + high] == pixel)
        parts = Cat(here & (address[:low] == part if low else 1) for part in range(columns))
        place = address[low + high :][: self.shape.value_address_bits]
        waiting = Signal(columns, name=f"waiting{pixel}")
        kept = Signal(columns * WORD, name=f"kept{pixel}", reset_less=True)
        kept_place = Signal(len(place), name=f"kept_place{pixel}", reset_less=True)
        stays = waiting & is_busy.replicate(columns)
        m.d.sync += waiting.eq(stays | parts & (is_busy | waiting.any()).replicate(columns))
        with m.If(here):
            m.d.sync += kept_place.eq(place)
        for part in range(columns):
            with m.If(parts[part]):
                m.d.sync += kept.word_select(part, WORD).eq(word)
        late = waiting.any()
        return Mux(late, waiting, parts), Mux(late, kept_place, place), Mux(late, kept, word.replicate(columns))

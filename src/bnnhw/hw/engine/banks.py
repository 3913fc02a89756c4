"""The maps: a bank of words for each pixel, written by the host and by tiles.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay

from .array.shape import ArrayShape
from .engine_shape import WINDOW_PLANES, WORD, EngineShape
from .wide_memory import WideMemory
from .window_lane import WindowLane

__all__ = ["Banks", "written_columns"]


def written_columns(array: ArrayShape, part: Value, bits: Value) -> tuple[Value, Value]:
    """The columns of a word that a tile's bits of one pixel are written to, and the word."""
    column = min(WORD, array.rows)
    others = (bits & ~part[0].replicate(array.rows)).replicate(len(part) - 1)
    return Cat((bit | part[0]).replicate(array.rows // column) for bit in part), Cat(bits, others)


class Banks(wiring.Component):
    """Words of `simd` bits, all banks read at one address, which passes from group to group of pixels.

    A tile's bits are a part of a word. The first part writes zeros into the others, so that channels which a map does
    not have are 0.

    Members
    -------
    write, address, data : In(1), In(WORD), In(WORD)
        A word of the bus: of a word its parts, lowest bits first; then the pixels; then the addresses. Not in the cycle
        behind another one while tiles are written.
    write_pixel : In(1)
        It is a pixel for the windows of a bank instead.
    store : In(1), out : In(address_bits), part : In(parts)
        The bits of the first group of pixels are written there; `part` is one-hot.
    bits : In(pixels * rows)
        Those of pixel group g are to come g cycles late.
    read_address : In(address_bits)
    words : Out(pixels * simd)
        BLOCK_RAM_LATENCY cycles later, those of pixel group g g cycles more.
    """

    write: Signal
    write_pixel: Signal
    address: Signal
    data: Signal
    store: Signal
    out: Signal
    part: Signal
    bits: Signal
    read_address: Signal
    words: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "write": In(1),
                "write_pixel": In(1),
                "address": In(WORD),
                "data": In(WORD),
                "store": In(1),
                "out": In(shape.address_bits),
                "part": In(shape.parts),
                "bits": In(array.pixels * array.rows),
                "read_address": In(shape.address_bits),
                "words": Out(array.pixels * array.simd),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        array = self.shape.array
        by_host: Value = Cat(self.write, self.write_pixel, self.address, self.data)
        by_tile: Value = Cat(self.store, self.part, self.out)
        read_address: Value = self.read_address
        for group in range(array.pixel_groups):
            by_host = delay(m, by_host, 1, name=f"bus{group}_")
            waited = Signal(name=f"waited{group}")  # for a tile, which goes first
            m.d.sync += waited.eq(by_host[0] & by_tile[0])
            bus = Mux(waited, delay(m, by_host, 1, name=f"bus_late{group}_"), by_host)
            for pixel in range(group * array.group_pixels, (group + 1) * array.group_pixels):
                self._bank(m, pixel, bus, by_host, by_tile, read_address)
            by_tile = delay(m, by_tile, 1, name=f"store{group}_")
            read_address = delay(m, read_address, 1, name=f"read_address{group}_")
        return m

    def _bank(self, m: Module, pixel: int, by_host: Value, at_once: Value, by_tile: Value, read_address: Value) -> None:
        shape, array = self.shape, self.shape.array
        columns = array.simd // WORD
        low, high = (columns - 1).bit_length(), (array.pixels - 1).bit_length()
        column = min(WORD, array.rows)
        bank = WideMemory(depth=shape.map_words, width=array.simd, column=column, target=shape.target)
        m.submodules[f"bank{pixel}"] = bank
        write, address, word = by_host[0], by_host[2 : 2 + WORD], by_host[2 + WORD :]
        stored, part, out = by_tile[0], by_tile[1 : 1 + shape.parts], by_tile[1 + shape.parts :]
        here = write & (address[low : low + high] == pixel)
        columns_of_host = Cat(
            (here & (address[:low] == index if low else 1)).replicate(WORD // column) for index in range(columns)
        )
        place: Value = address[low + high :]
        if shape.makes_windows:
            lane = WindowLane(cell_bits=shape.address_bits - (WINDOW_PLANES - 1).bit_length())
            m.submodules[f"lane{pixel}"] = lane
            m.d.comb += [
                lane.take.eq(at_once[1] & (at_once[2 : 2 + high] == pixel)),
                lane.cell.eq(at_once[2 + high : 2 + WORD]),
                lane.data.eq(at_once[2 + WORD :]),
                lane.wait.eq(stored),
            ]
            columns_of_host |= lane.valid.replicate(len(columns_of_host))
            place = Mux(lane.valid, lane.address, place)
            word = Mux(lane.valid, lane.word, word)
        columns_of_tile, bits = written_columns(array, part, self.bits.word_select(pixel, array.rows))
        m.d.comb += [
            bank.read_address.eq(read_address),
            bank.write_columns.eq(Mux(stored, columns_of_tile, columns_of_host)),
            bank.write_address.eq(Mux(stored, out, place)),
            bank.write_data.eq(Mux(stored, bits, word.replicate(columns))),
            self.words.word_select(pixel, array.simd).eq(bank.read_data),
        ]

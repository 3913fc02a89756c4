"""The weights: a memory for each group of rows.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay, delays

from .engine_shape import WORD, EngineShape
from .wide_memory import WideMemory

__all__ = ["Weights"]


class Weights(wiring.Component):
    """Words of rows x simd bits. Each group of rows reads a cycle behind the one before it, as the array takes them.

    Members
    -------
    write, address, data : In(1), In(WORD), In(WORD)
        A word of the bus: of each row its parts, lowest bits first; then the rows; then the addresses.
    read_address : In
    words : Out(rows * simd)
        BLOCK_RAM_LATENCY cycles later, those of group g g cycles more.
    """

    write: Signal
    address: Signal
    data: Signal
    read_address: Signal
    words: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "write": In(1),
                "address": In(WORD),
                "data": In(WORD),
                "read_address": In((shape.weight_words - 1).bit_length()),
                "words": Out(array.rows * array.simd),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape, groups = self.shape, self.shape.array.row_groups
        width = shape.array.group_rows * shape.array.simd
        columns = width // WORD
        low, high = (columns - 1).bit_length(), (groups - 1).bit_length()
        addresses = delays(m, self.read_address, groups - 1, name="read_address")
        bus: Value = Cat(self.write, self.address, self.data)
        for group in range(groups):
            bus = delay(m, bus, 1, name=f"bus{group}_")
            write, address, word = bus[0], bus[1 : 1 + WORD], bus[1 + WORD :]
            memory = WideMemory(depth=shape.weight_words, width=width, column=WORD, target=shape.target)
            m.submodules[f"group{group}"] = memory
            here = write & (address[low : low + high] == group)
            m.d.comb += [
                memory.write_columns.eq((1 << address[:low])[:columns] & here.replicate(columns)),
                memory.write_address.eq(address[low + high :]),
                memory.write_data.eq(word.replicate(columns)),
                memory.read_address.eq(addresses[group]),
                self.words.word_select(group, width).eq(memory.read_data),
            ]
        return m

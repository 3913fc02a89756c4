"""A memory of words as wide as many block RAMs, written column by column.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import Target

__all__ = ["WideMemory"]


class WideMemory(wiring.Component):
    """read_data(t + BLOCK_RAM_LATENCY) = the word at read_address(t). What is written in a cycle is there in the next.

    Parameters
    ----------
    depth, width : int
    column : int
        Bits that are written alone; they divide the width.
    target : Target

    Members
    -------
    read_address : In(ceil_log2(depth)), read_data : Out(width)
    write_columns : In(width / column)
        The columns that take their part of `write_data`.
    write_address : In(ceil_log2(depth)), write_data : In(width)
    """

    read_address: Signal
    read_data: Signal
    write_columns: Signal
    write_address: Signal
    write_data: Signal

    def __init__(self, *, depth: int, width: int, column: int, target: Target):
        if width % column:
            raise ValueError(f"column={column} must divide width={width}")
        self.depth = depth
        self.width = width
        self.column = column
        self.target = target
        bits = (depth - 1).bit_length()
        super().__init__(
            {
                "read_address": In(bits),
                "read_data": Out(width),
                "write_columns": In(width // column),
                "write_address": In(bits),
                "write_data": In(width),
            }
        )

    @property
    def ram_width(self) -> int:
        """Bits of a block RAM's word: the widest power of two that divides a column."""
        widest = self.target.fabric.block_ram_width(self.depth)
        bits = 1
        while 2 * bits <= widest and self.column % (2 * bits) == 0:
            bits *= 2
        return bits

    @property
    def block_rams(self) -> int:
        """Block RAMs that it takes."""
        return self.width // self.ram_width

    def connect_bus(self, m: Module, write: Value, address: Value, word: Value) -> None:
        """Words of the bus, which are columns, become those of the memory's words, lowest bits first."""
        columns = self.width // self.column
        low = (columns - 1).bit_length()
        m.d.comb += [
            self.write_columns.eq((1 << address[:low])[:columns] & write.replicate(columns)),
            self.write_address.eq(address[low:]),
            self.write_data.eq(word.replicate(columns)),
        ]

    def elaborate(self, platform) -> Module:
        m = Module()
        words: list[Signal] = []
        width = self.ram_width
        for low in range(0, self.width, width):
            m.submodules += (ram := self.target.block_ram(depth=self.depth, width=width, writable=True))
            m.d.comb += [
                ram.read_address.eq(self.read_address),
                ram.write_address.eq(self.write_address),
                ram.write_data.eq(self.write_data[low : low + width]),
                ram.write_enable.eq(self.write_columns[low // self.column]),
            ]
            words.append(ram.read_data)
        m.d.comb += self.read_data.eq(Cat(words))
        return m

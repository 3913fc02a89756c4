"""The input vectors of a matrix unit: one is read, as often as needed, while the next one arrives.

Tests: tests/hw/product/test_matrix_unit.py
"""

from typing import Literal

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.storage.line_memory import LineMemory, line_memory_cells
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Fabric, Target, check_target

__all__ = ["InputBuffer", "block_buffer_cells", "buffer_depth", "buffer_store", "input_buffer_latency"]

LUT_RAM_DEPTH = 64
"""Words up to which a buffer is distributed RAM: 16 words of 4 bits take 6 LUT4, and four times that with their
multiplexers begin to cost more than their share of a block RAM."""


def buffer_store(depth: int) -> Literal["registers", "lut", "block"]:
    """Where a buffer of `depth` words lies."""
    if depth <= 2:
        return "registers"
    return "lut" if depth <= LUT_RAM_DEPTH else "block"


def block_buffer_cells(fabric: Fabric, depth: int, width: int) -> tuple[int, int, int]:
    """(LUT4, flip-flops, block RAMs) of the memory of a buffer of `depth` words of `width` bits in block RAM."""
    if depth > fabric.block_ram_depth:
        return line_memory_cells(fabric, depth, width, "block")
    return 0, 0, fabric.block_rams(depth, width)


def buffer_depth(words: int) -> int:
    """Words of both banks of a buffer for vectors of `words` words; a bank begins at a power of two."""
    return 2 << (words - 1).bit_length()


def input_buffer_latency(words: int) -> int:
    """Cycles from the index of a word to the word, without lag."""
    return 3 if buffer_store(buffer_depth(words)) == "block" else 2


class InputBuffer(wiring.Component):
    """Two banks of `words` words: `i` fills one while the other is read at will.

    Words arrive in order. `filled` says that the bank to read is complete; `release`, given in the cycle of its last
    read, makes it free for new words. data(t + latency) is the word at read_index(t) of the bank to read. Words that
    should come later wait as indices, which are smaller.

    Parameters
    ----------
    words, width : int
        Beats of a vector, bits of a beat.
    lag : int
        Cycles that the indices wait: at most `words`, or the next vector would overwrite what is read.
    target : Target

    Members
    -------
    i : In(stream of unsigned(width))
    filled : Out(1)
        One cycle after the last beat of a vector was accepted.
    release : In(1)
    read_index : In(ceil_log2(words))
    data : Out(width)
    """

    i: stream.Interface
    filled: Signal
    release: Signal
    read_index: Signal
    data: Signal

    def __init__(self, *, words: int, width: int, lag: int = 0, target: Target):
        check_target(target)
        if not 0 <= lag <= words:
            raise ValueError(f"lag={lag} must be in 0..words={words}")
        self.words = words
        self.width = width
        self.lag = lag
        self.target = target
        self._index_bits = (words - 1).bit_length()
        self._depth = buffer_depth(words)
        super().__init__(
            {
                "i": In(flat_stream(width)),
                "filled": Out(1),
                "release": In(1),
                "read_index": In(self._index_bits),
                "data": Out(width),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from `read_index` to `data`."""
        return input_buffer_latency(self.words) + self.lag

    def elaborate(self, platform) -> Module:
        m = Module()
        full = Signal(2)
        write_bank, read_bank = Signal(), Signal()
        write_index = Signal(self._index_bits)
        last = write_index == self.words - 1 if self.words > 1 else Const(1, 1)
        m.d.comb += [
            self.i.ready.eq(~full.bit_select(write_bank, 1)),
            self.filled.eq(full.bit_select(read_bank, 1)),
        ]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += write_index.eq(write_index + 1)
            with m.If(last):
                m.d.sync += [write_index.eq(0), write_bank.eq(~write_bank), full.bit_select(write_bank, 1).eq(1)]
        with m.If(self.release):
            m.d.sync += [read_bank.eq(~read_bank), full.bit_select(read_bank, 1).eq(0)]

        # The write is one cycle late: the word that is read first is still there in time, the producer's path is short,
        # and each part of the memory has a write enable from a register.
        parts = self._depth // self._part_depth
        part_bits = (self._part_depth - 1).bit_length()
        write_enable = Signal(parts)
        write_address, read_address = (Signal(self._index_bits + 1, reset_less=True) for _ in range(2))
        write_data, data = (Signal(self.width, reset_less=True) for _ in range(2))
        next_address = Cat(write_index, write_bank)
        accepts = self.i.ready & self.i.valid
        m.d.sync += [
            write_enable.eq(Cat(accepts & (next_address[part_bits:] == part) for part in range(parts))),
            write_address.eq(next_address),
            write_data.eq(self.i.payload),
            read_address.eq(delay(m, Cat(self.read_index, read_bank), self.lag, name="read_index")),
        ]
        m.d.comb += self.data.eq(data)
        if buffer_store(self._depth) == "block":
            self._block_ram(m, write_enable, write_address, write_data, read_address, data)
            return m
        words: list[Value] = []
        for part in range(parts):
            if self._part_depth == 1:
                word = Signal(self.width, name=f"bank{part}", reset_less=True)
                with m.If(write_enable[part]):
                    m.d.sync += word.eq(write_data)
            else:
                memory = Memory(shape=self.width, depth=self._part_depth, init=(), attrs={"ram_style": "distributed"})
                m.submodules[f"memory{part}"] = memory
                write, read = memory.write_port(), memory.read_port(domain="comb")
                word = read.data
                m.d.comb += [
                    write.en.eq(write_enable[part]),
                    write.addr.eq(write_address[:part_bits]),
                    write.data.eq(write_data),
                    read.addr.eq(read_address[:part_bits]),
                ]
            words.append(word)
        m.d.sync += data.eq(Array(words)[read_address[part_bits:]] if parts > 1 else words[0])
        return m

    @property
    def _part_depth(self) -> int:
        """Words that share a write enable: a register, a distributed RAM, or all of the block RAM."""
        cell = self.target.fabric.distributed_ram_depth
        return {"registers": 1, "lut": min(cell, self._depth), "block": self._depth}[buffer_store(self._depth)]

    def _block_ram(
        self,
        m: Module,
        write_enable: Signal,
        write_address: Signal,
        write_data: Signal,
        read_address: Signal,
        data: Signal,
    ) -> None:
        if self._depth > self.target.fabric.block_ram_depth:
            m.submodules.memory = memory = LineMemory(
                depth=self._depth, width=self.width, store="block", target=self.target
            )
            m.d.comb += [
                memory.write_enable.eq(write_enable),
                memory.write_address.eq(write_address),
                memory.write_data.eq(write_data),
                memory.read_enable.eq(1),
                memory.read_address.eq(read_address),
                data.eq(memory.read_data),
            ]
            return
        step = self.target.fabric.block_ram_width(self._depth)
        for number, start in enumerate(range(0, self.width, step)):
            part = slice(start, min(self.width, start + step))
            ram = self.target.block_ram(depth=self._depth, width=part.stop - start, writable=True)
            m.submodules[f"ram{number}"] = ram
            m.d.comb += [
                ram.write_enable.eq(write_enable),
                ram.write_address.eq(write_address),
                ram.write_data.eq(write_data[part]),
                ram.read_address.eq(read_address),
                data[part].eq(ram.read_data),
            ]

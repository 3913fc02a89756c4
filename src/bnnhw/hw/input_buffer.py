"""The input vectors of a matrix unit: one is read, as often as needed, while the next one arrives."""

# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportOperatorIssue=false
# (as amaranth's types say it: `with m.If` is a decorated generator; slices may be IO values,
# memory ports have no members)

from typing import Literal

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .block_ram import BlockRam, block_ram_width
from .stream import flat_stream
from .technology import check_technology

__all__ = ["InputBuffer", "buffer_block_rams", "buffer_depth", "buffer_store", "input_buffer_latency"]

LUT_RAM_DEPTH = 64
"""Words up to which a buffer is distributed RAM: 16 words of 4 bits take 6 LUT4, and four times that with their
multiplexers begin to cost more than their share of a block RAM."""


def buffer_store(depth: int) -> Literal["registers", "lut", "block"]:
    """Where a buffer of `depth` words lies."""
    if depth <= 2:
        return "registers"
    return "lut" if depth <= LUT_RAM_DEPTH else "block"


def buffer_block_rams(depth: int, width: int) -> int:
    """Block RAMs of a buffer of `depth` words of `width` bits."""
    return -(-width // block_ram_width(depth)) if buffer_store(depth) == "block" else 0


def buffer_depth(words: int) -> int:
    """Words of both banks of a buffer for vectors of `words` words; a bank begins at a power of two."""
    return 2 << (words - 1).bit_length()


def input_buffer_latency(words: int) -> int:
    """Cycles from the index of a word to the word."""
    return 3 if buffer_store(buffer_depth(words)) == "block" else 2


class InputBuffer(wiring.Component):
    """Two banks of `words` words: `i` fills one while the other is read at will.

    Words arrive in order. `filled` says that the bank to read is complete; `release`, given in the cycle of its last
    read, makes it free for new words. data(t + latency) is the word at read_index(t) of the bank to read.

    Parameters
    ----------
    words, width : int
        Beats of a vector, bits of a beat.
    technology : str
        "ecp5" or "portable".

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

    def __init__(self, *, words: int, width: int, technology: str):
        check_technology(technology)
        self.words = words
        self.width = width
        self.technology = technology
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
        return input_buffer_latency(self.words)

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

        # The write is one cycle late: the word that is read first is still there in time, and the producer's path is
        # short.
        write_enable = Signal()
        write_address, read_address = (Signal(self._index_bits + 1, reset_less=True) for _ in range(2))
        write_data = Signal(self.width, reset_less=True)
        m.d.sync += [
            write_enable.eq(self.i.ready & self.i.valid),
            write_address.eq(Cat(write_index, write_bank)),
            write_data.eq(self.i.payload),
            read_address.eq(Cat(self.read_index, read_bank)),
        ]
        data = Signal(self.width, reset_less=True)
        m.d.comb += self.data.eq(data)
        match buffer_store(self._depth):
            case "registers":
                banks = Array(Signal(self.width, name=f"bank{bank}", reset_less=True) for bank in range(2))
                with m.If(write_enable):
                    m.d.sync += banks[write_address].eq(write_data)
                m.d.sync += data.eq(banks[read_address])
            case "lut":
                memory = Memory(shape=self.width, depth=self._depth, init=(), attrs={"ram_style": "distributed"})
                m.submodules.memory = memory
                write, read = memory.write_port(), memory.read_port(domain="comb")
                m.d.comb += [
                    write.en.eq(write_enable),
                    write.addr.eq(write_address),
                    write.data.eq(write_data),
                    read.addr.eq(read_address),
                ]
                m.d.sync += data.eq(read.data)
            case "block":
                step = block_ram_width(self._depth)
                for number, start in enumerate(range(0, self.width, step)):
                    part = slice(start, min(self.width, start + step))
                    m.submodules[f"ram{number}"] = ram = BlockRam(
                        depth=self._depth, width=part.stop - start, writable=True, technology=self.technology
                    )
                    m.d.comb += [
                        ram.write_enable.eq(write_enable),
                        ram.write_address.eq(write_address),
                        ram.write_data.eq(write_data[part]),
                        ram.read_address.eq(read_address),
                        data[part].eq(ram.read_data),
                    ]
        return m

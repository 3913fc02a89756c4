"""One block RAM of the ECP5 (18 kbit), written at one port and read at the other, with a registered output."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# (as amaranth's types say it: `with m.If` is a decorated generator; slices may be IO values,
# memory ports have no members)

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .technology import check_technology

__all__ = ["BLOCK_RAM_SHAPES", "BlockRam", "block_ram_width"]

BLOCK_RAM_SHAPES = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
"""Depth -> width of one DP16KD."""


def block_ram_width(depth: int) -> int:
    """Bits of a word of the widest shape that is at least `depth` words deep."""
    for words, width in BLOCK_RAM_SHAPES.items():
        if depth <= words:
            return width
    raise ValueError(f"depth={depth} must be at most {max(BLOCK_RAM_SHAPES)}, the depth of one block RAM")


class BlockRam(wiring.Component):
    """A memory of `depth` words: read_data(t + 2) = memory[read_address(t)], counted in cycles of `read_enable`.

    A word that is written in cycle t is seen by the addresses of cycle t + 1 and later; its old and new value mix for
    an address of cycle t itself. The output register of the DP16KD is used, because without it the clock-to-output time
    of 5.7 ns would be the clock period's larger part.

    Parameters
    ----------
    depth, width : int
        At most one of BLOCK_RAM_SHAPES.
    init : sequence of int
        The first words; the others are 0.
    writable : bool
        Without it the write port does not exist.
    technology : str
        "ecp5" for a DP16KD instance, "portable" for plain Amaranth.

    Members
    -------
    read_address : In(ceil_log2(depth))
    read_data : Out(width)
    read_enable : In(1)
        Both steps of a read wait while it is 0. Left unconnected, it is 1.
    write_enable, write_address, write_data : In(1), In(ceil_log2(depth)), In(width)
    """

    read_latency = 2

    read_address: Signal
    read_data: Signal
    read_enable: Signal
    write_enable: Signal
    write_address: Signal
    write_data: Signal

    def __init__(self, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False, technology: str):
        check_technology(technology)
        if not 1 <= width <= block_ram_width(depth):
            raise ValueError(f"width={width} must be in 1..{block_ram_width(depth)}, a block RAM's at depth={depth}")
        self.depth = depth
        self.width = width
        self.init = tuple(init)
        self.writable = writable
        self.technology = technology
        bits = max(1, (depth - 1).bit_length())
        ports = {"read_address": In(bits), "read_data": Out(width), "read_enable": In(1, init=1)}
        if writable:
            ports |= {"write_enable": In(1), "write_address": In(bits), "write_data": In(width)}
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        return self._dp16kd() if self.technology == "ecp5" else self._portable()

    def _portable(self) -> Module:
        m = Module()
        init = [*self.init, *([0] * (self.depth - len(self.init)))]
        m.submodules.memory = memory = Memory(shape=self.width, depth=self.depth, init=init)
        port = memory.read_port(domain="sync")
        data = Signal(self.width, reset_less=True)
        m.d.comb += [port.addr.eq(self.read_address), port.en.eq(self.read_enable), self.read_data.eq(data)]
        with m.If(self.read_enable):
            m.d.sync += data.eq(port.data)
        if self.writable:
            write = memory.write_port()
            m.d.comb += [
                write.en.eq(self.write_enable),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data),
            ]
        return m

    def _dp16kd(self) -> Module:
        """Port B reads. Port A writes; in the shape of 512 words the data pins of both ports carry one word."""
        m = Module()
        shape = block_ram_width(self.depth)
        low_bits = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}[shape]  # address pins below the word's address
        bytes_enabled = {36: 0b1111, 18: 0b11}.get(shape, 0)  # the lowest of them enable the bytes of a wide write
        clock = ClockSignal("sync")
        out = Signal(36)
        m.d.comb += self.read_data.eq(out if shape == 36 else out[18:])
        pins: dict[str, object] = {}

        def bus(prefix: str, value, width: int) -> None:
            pins.update({f"i_{prefix}{bit}": value[bit] for bit in range(min(width, len(value)))})
            pins.update({f"i_{prefix}{bit}": Const(0, 1) for bit in range(len(value), width)})

        def address(value, enables: int) -> Signal:
            full = Signal(14)
            m.d.comb += full.eq(value << low_bits | enables)
            return full

        data = Signal(36)
        if self.writable:
            m.d.comb += data.eq(self.write_data)
        bus("ADB", address(self.read_address, 0), 14)
        bus("ADA", address(self.write_address, bytes_enabled) if self.writable else Const(0, 14), 14)
        bus("DIA", data[:18], 18)
        bus("DIB", data[18:], 18)
        pins.update({f"o_DOA{bit}": out[bit] for bit in range(18)})
        pins.update({f"o_DOB{bit}": out[18 + bit] for bit in range(18)})
        write_enable = self.write_enable if self.writable else Const(0, 1)
        m.submodules.ram = Instance(
            "DP16KD",
            **{f"p_INITVAL_{index:02X}": Const(value, 320) for index, value in enumerate(_initvals(self.init, shape))},
            p_DATA_WIDTH_A=shape,
            p_DATA_WIDTH_B=shape,
            p_REGMODE_A="OUTREG",
            p_REGMODE_B="OUTREG",
            p_RESETMODE="SYNC",
            p_ASYNC_RESET_RELEASE="SYNC",
            p_CSDECODE_A="0b000",
            p_CSDECODE_B="0b000",
            p_WRITEMODE_A="NORMAL",
            p_WRITEMODE_B="NORMAL",
            p_CLKAMUX="CLKA",
            p_CLKBMUX="CLKB",
            p_GSR="AUTO",
            i_CLKA=clock,
            i_CEA=write_enable,
            i_WEA=write_enable,
            i_OCEA=self.read_enable,
            i_RSTA=Const(0, 1),
            i_CLKB=clock,
            i_CEB=self.read_enable,
            i_WEB=Const(0, 1),
            i_OCEB=self.read_enable,
            i_RSTB=Const(0, 1),
            **{f"i_CS{port}{bit}": Const(0, 1) for port in "AB" for bit in range(3)},
            **pins,
        )
        return m


def _initvals(words: Sequence[int], width: int) -> list[int]:
    """The 64 INITVAL parameters: 16 words of 18 bits each, in 20 bits. Shapes narrower than 9 skip each 9th bit."""
    bits = np.zeros((18432 // width if width >= 9 else 16384 // width, width), np.uint8)
    for bit in range(width):
        bits[: len(words), bit] = [word >> bit & 1 for word in words]
    stream = bits.reshape(2048, -1)
    cells = np.zeros((2048, 9), np.uint8)
    cells[:, : stream.shape[1]] = stream
    padded = np.zeros((64, 16, 20), np.uint8)
    padded[:, :, :18] = cells.reshape(64, 16, 18)
    return [int.from_bytes(np.packbits(row.reshape(-1), bitorder="little").tobytes(), "little") for row in padded]

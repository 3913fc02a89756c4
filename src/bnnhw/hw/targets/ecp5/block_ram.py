"""One block RAM of the ECP5 (18 kbit), a DP16KD.

Tests: tests/hw/storage/test_line_memory.py
"""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal

from bnnhw.hw.targets.block_ram import BlockRam

__all__ = ["Dp16kd"]


class Dp16kd(BlockRam):
    """Port B reads. Port A writes; in the shape of 512 words the data pins of both ports carry one word.

    The output register is used, because without it the clock-to-output time of 5.7 ns would be the clock period's
    larger part.
    """

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.fabric.block_ram_width(self.depth)
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

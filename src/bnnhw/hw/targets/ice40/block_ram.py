"""One block RAM of the iCE40 (4 kbit), an SB_RAM40_4K.

Tests: tests/hw/storage/test_line_memory.py
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal

from bnnhw.hw.targets.block_ram import BlockRam

__all__ = ["SHAPES", "SbRam40"]

ROWS, ROW_BITS = 256, 16
SHAPES = {ROWS: 16, 2 * ROWS: 8, 4 * ROWS: 4, 8 * ROWS: 2}
"""Depth -> width of each of its modes, in their order."""
_FIRST_PIN = (0, 0, 1, 3)
"""Of a mode, where a word's lowest bit is; the others are as far apart as words lie in a row."""


class SbRam40(BlockRam):
    """A row of 16 bits holds 1, 2, 4 or 8 words, whose bits alternate; the address above 8 bits says which of them.

    It has no output register, so that is one of flip-flops.
    """

    def elaborate(self, platform) -> Module:
        m = Module()
        width = self.fabric.block_ram_width(self.depth)
        mode = list(SHAPES.values()).index(width)
        words = ROW_BITS // width
        pins = [_FIRST_PIN[mode] + words * bit for bit in range(self.width)]
        clock = ClockSignal("sync")
        read, kept = Signal(ROW_BITS), Signal(self.width, reset_less=True)
        m.d.comb += self.read_data.eq(kept)
        with m.If(self.read_enable):
            m.d.sync += kept.eq(Cat(read[pin] for pin in pins))
        written: dict[str, object] = {"i_WCLKE": Const(0), "i_WADDR": Const(0, 11), "i_WDATA": Const(0, ROW_BITS)}
        if self.writable:
            data, address = Signal(ROW_BITS), Signal(11)
            m.d.comb += [data[pin].eq(self.write_data[bit]) for bit, pin in enumerate(pins)]
            m.d.comb += address.eq(self.write_address)
            written = {"i_WCLKE": self.write_enable, "i_WADDR": address, "i_WDATA": data}
        read_address = Signal(11)
        m.d.comb += read_address.eq(self.read_address)
        m.submodules.ram = Instance(
            "SB_RAM40_4K",
            **{f"p_INIT_{index:X}": Const(value, 256) for index, value in enumerate(_inits(self.init, width))},
            p_READ_MODE=mode,
            p_WRITE_MODE=mode,
            i_RCLK=clock,
            i_RCLKE=self.read_enable,
            i_RE=Const(1),
            i_RADDR=read_address,
            o_RDATA=read,
            i_WCLK=clock,
            i_WE=Const(self.writable, 1),
            i_MASK=Const(0, ROW_BITS),
            **written,
        )
        return m


def _inits(words: Sequence[int], width: int) -> list[int]:
    """The 16 INIT parameters: 16 rows of 16 bits each."""
    inits = [0] * 16
    for address, word in enumerate(words):
        slot, row = divmod(address, ROWS)
        for bit in range(width):
            place = row % 16 * ROW_BITS + bit * (ROW_BITS // width) + slot
            inits[row // 16] |= (word >> bit & 1) << place
    return inits

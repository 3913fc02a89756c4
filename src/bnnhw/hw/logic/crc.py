"""CRC-32, one bit a cycle.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32"]


class Crc32(wiring.Component):
    """The CRC of RFC 1662's FCS-32, Ethernet and `zlib.crc32`, one bit a cycle.

    After the bits of a message, lowest of each byte first,

        crc ^ 0xFFFFFFFF == zlib.crc32(message)

    and after the four bytes of that value too (lowest first), `good`.

    Members
    -------
    clear : In(1)
        Begins a message; wins over `enable`.
    enable : In(1)
        Takes `bit`.
    bit : In(1)
    crc : Out(32)
    good : Out(1)
        The message so far ends with its own CRC.
    """

    POLYNOMIAL = 0xEDB88320  # 0x04C11DB7, reflected
    RESIDUE = 0xDEBB20E3

    clear: Signal
    enable: Signal
    bit: Signal
    crc: Signal
    good: Signal

    def __init__(self):
        super().__init__(
            {
                "clear": In(1),
                "enable": In(1),
                "bit": In(1),
                "crc": Out(32, init=0xFFFFFFFF),
                "good": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += self.good.eq(self.crc == self.RESIDUE)
        feedback = self.crc[0] ^ self.bit
        with m.If(self.clear):
            m.d.sync += self.crc.eq(0xFFFFFFFF)
        with m.Elif(self.enable):
            m.d.sync += self.crc.eq((self.crc >> 1) ^ Mux(feedback, self.POLYNOMIAL, 0))
        return m

"""The checksum of IPv4, UDP and ICMP (RFC 1071), one byte a cycle."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["InternetChecksum"]


class InternetChecksum(wiring.Component):
    """Sums 16-bit words in ones' complement; the carry of a byte waits for the next one, which is of the other half.

    Members
    -------
    clear : In(1)
        Begins a message; wins over `enable`.
    enable : In(1)
        Takes `byte`.
    byte : In(8)
    sum : Out(16)
        After an even number of bytes and two zeros: the sum of the words, whose first bytes are the higher ones. It is
        0xFFFF where a header's own checksum is right.
    """

    clear: Signal
    enable: Signal
    byte: Signal
    sum: Signal

    def __init__(self):
        super().__init__({"clear": In(1), "enable": In(1), "byte": In(8), "sum": Out(16)})

    def elaborate(self, platform) -> Module:
        m = Module()
        low, high = self.sum[:8], self.sum[8:]
        total, carry = Signal(9), Signal()
        m.d.comb += total.eq(high + self.byte + carry)
        with m.If(self.clear):
            m.d.sync += [self.sum.eq(0), carry.eq(0)]
        with m.Elif(self.enable):
            m.d.sync += [high.eq(low), low.eq(total[:8]), carry.eq(total[8])]
        return m

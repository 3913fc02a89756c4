"""LineTransmitter: bytes to the lines D+ and D-.

Tests: tests/hw/usb/test_lines.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .line_receiver import CYCLES_PER_BIT, STUFFED_AFTER

__all__ = ["LineTransmitter"]

_SYNC = 0x80


class LineTransmitter(wiring.Component):
    """Packets at full speed: SYNC, bit stuffing, NRZI and the end, two bits of SE0 and one of J (USB 2.0, 7.1.7 to
    7.1.13). A bit is four cycles.

    Members
    -------
    data, valid : In(8), In(1)
        A packet lasts while `valid` is high; its first byte stays until it is taken.
    ready : Out(1)
        The byte is taken; high for one cycle. 32 cycles later the next one has to be there, or the end.
    dp, dn, oe : Out(1), Out(1), Out(1)
        The lines, and whether they are driven, from registers.
    """

    data: Signal
    valid: Signal
    ready: Signal
    dp: Signal
    dn: Signal
    oe: Signal

    def __init__(self):
        super().__init__(
            {
                "data": In(8),
                "valid": In(1),
                "ready": Out(1),
                "dp": Out(1, init=1),
                "dn": Out(1),
                "oe": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        phase, tick = Signal(range(CYCLES_PER_BIT)), Signal()
        shifter, left = Signal(8), Signal(range(8))
        ones, stuffing = Signal(range(STUFFED_AFTER + 1)), Signal()
        m.d.comb += [tick.eq(phase == CYCLES_PER_BIT - 1), stuffing.eq(ones == STUFFED_AFTER)]
        m.d.sync += phase.eq(phase + 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    *(phase.eq(CYCLES_PER_BIT - 1), shifter.eq(_SYNC), left.eq(7), ones.eq(0)),
                    *(self.dp.eq(1), self.dn.eq(0), self.oe.eq(0)),
                ]
                with m.If(self.valid):
                    m.next = "BITS"
            with m.State("BITS"), m.If(tick):
                m.d.sync += self.oe.eq(1)
                bit = shifter[0] & ~stuffing
                with m.If(bit):
                    m.d.sync += ones.eq(ones + 1)
                with m.Else():
                    m.d.sync += [self.dp.eq(~self.dp), self.dn.eq(self.dp), ones.eq(0)]
                with m.If(~stuffing):
                    m.d.sync += [shifter.eq(Cat(shifter[1:], 0)), left.eq(left - 1)]
                    with m.If(left == 0):
                        m.next = "NEXT"
            with m.State("NEXT"):  # between two ticks
                with m.If(self.valid):
                    m.d.comb += self.ready.eq(1)
                    m.d.sync += [shifter.eq(self.data), left.eq(7)]
                    m.next = "BITS"
                with m.Elif(~stuffing):
                    m.next = "END"
                with m.Elif(tick):
                    m.d.sync += [self.dp.eq(~self.dp), self.dn.eq(self.dp), ones.eq(0)]
            with m.State("END"), m.If(tick):
                m.d.sync += [self.dp.eq(0), self.dn.eq(0), left.eq(left - 1)]
                with m.If(left <= 5):
                    m.d.sync += self.dp.eq(1)
                with m.If(left == 4):
                    m.d.sync += self.oe.eq(0)
                    m.next = "IDLE"
        return m

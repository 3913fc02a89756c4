"""LineReceiver: bytes from the lines D+ and D-.

Tests: tests/hw/usb/test_lines.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CYCLES_PER_BIT", "STUFFED_AFTER", "LineReceiver"]

CYCLES_PER_BIT = 4
STUFFED_AFTER = 6
"""Ones in a row, behind which a zero is put in."""
_SYNC_ZEROS = 5
"""Of the six zeros before the one that ends SYNC; its first bits may be lost (USB 2.0, 7.1.10)."""


class LineReceiver(wiring.Component):
    """Packets at full speed: bit clock, NRZI, bit stuffing, SYNC and end (USB 2.0, 7.1.7 to 7.1.15).

    A bit is four cycles. J or K begins when both lines have it, which is where the bit clock is set anew, and is
    sampled two cycles later. A packet ends at an SE0 of two cycles, or where no zero is behind six ones; only behind an
    SE0 the next one can begin, so that the middle of a damaged packet is none.

    Members
    -------
    dp, dn : In(1), In(1)
        The lines, from registers.
    deaf : In(1)
        What is on the lines is ours.
    state : Out(2)
        Cat(D+, D-).
    active : Out(1)
        Inside a packet, from behind SYNC until behind its end.
    data, valid : Out(8), Out(1)
        A byte of a packet; high for one cycle.
    """

    dp: Signal
    dn: Signal
    deaf: Signal
    state: Signal
    active: Signal
    data: Signal
    valid: Signal

    def __init__(self):
        super().__init__(
            {
                "dp": In(1, init=1),
                "dn": In(1),
                "deaf": In(1),
                "state": Out(2, init=0b01),
                "active": Out(1),
                "data": Out(8),
                "valid": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bit, ends, strobe = self._sample(m)
        ones, stuffed = Signal(range(STUFFED_AFTER + 1)), Signal()
        zeros, hunting = Signal(range(_SYNC_ZEROS + 1)), Signal(init=1)
        count = Signal(range(8))
        m.d.comb += stuffed.eq(ones == STUFFED_AFTER)
        m.d.sync += self.valid.eq(0)
        with m.If(strobe):
            with m.If(ends):
                m.d.sync += [hunting.eq(1), zeros.eq(0)]
            with m.Elif(self.active & hunting):
                m.d.sync += self.active.eq(0)
            with m.Elif(self.active):
                m.d.sync += ones.eq(ones + 1)
                with m.If(~bit | stuffed):
                    m.d.sync += ones.eq(0)
                with m.If(stuffed):
                    m.d.sync += self.active.eq(~bit)
                with m.Else():
                    m.d.sync += [
                        self.data.eq(Cat(self.data[1:], bit)),
                        count.eq(count + 1),
                        self.valid.eq(count == 7),
                    ]
            with m.Elif(hunting & bit):
                m.d.sync += [ones.eq(1), count.eq(0), zeros.eq(0)]
                with m.If(zeros != 0):
                    m.d.sync += [hunting.eq(0), self.active.eq(zeros == _SYNC_ZEROS)]
            with m.Elif(hunting & (zeros != _SYNC_ZEROS)):
                m.d.sync += zeros.eq(zeros + 1)
        with m.If(self.deaf):
            m.d.sync += [self.active.eq(0), hunting.eq(1), zeros.eq(0)]
        return m

    def _sample(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """The decoded bit, whether it is the SE0 of an end instead, and when both are there: for one cycle."""
        p, n = self.state
        level, last_level, last_bit = Signal(init=1), Signal(init=1), Signal(init=1)  # 1: J
        phase = Signal(range(CYCLES_PER_BIT))
        quiet, last_quiet = Signal(), Signal()
        strobe, bit, ends = Signal(), Signal(), Signal()
        m.d.comb += [level.eq(last_level), quiet.eq(~p & ~n)]
        with m.If(p ^ n):
            m.d.comb += level.eq(p)
        m.d.sync += [
            self.state.eq(Cat(self.dp, self.dn)),
            last_level.eq(level),
            last_quiet.eq(quiet),
            phase.eq(phase + 1),
            strobe.eq(phase == 2),
        ]
        with m.If(level != last_level):
            m.d.sync += [phase.eq(1), strobe.eq(0)]
        with m.Elif(phase == 2):  # behind an end is J
            m.d.sync += [
                bit.eq(level == last_bit),
                ends.eq(quiet & last_quiet),
                last_bit.eq(level | quiet & last_quiet),
            ]
        return bit, ends, strobe

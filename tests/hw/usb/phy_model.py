"""A PHY's end of ULPI 1.1 that answers the link's commands; what comes from the cable is the test's to say."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

# pyright: reportGeneralTypeIssues=false
# (amaranth's types are loose)

__all__ = ["PhyModel"]

_FUNCTION, _OTG = 0x04, 0x0A
_START = 2  # cycles from a command to SYNC on the wire (table 7)
_SYNC = 4  # bytes, at high speed
_BIT_CYCLES, _BYTE_CYCLES = 5, 40  # at full speed


class PhyModel(wiring.Component):
    """Registers, and packets to the cable at the speed that they choose.

    Members
    -------
    dir, nxt_in : In(1), In(1)
        The bus is the PHY's, and what its `nxt` is then.
    pace : In(1)
        A byte may be taken; at high speed only.
    data, stp : In(8), In(1)
        At the link's pads.
    nxt : Out(1)
    byte, taken, begins, ends : Out(8), Out(1), Out(1), Out(1)
        Of a packet to the cable: a byte, the first cycle of its command, and its end.
    function, otg : Out(8), Out(8)
        The registers, as a reset leaves them (tables 4.2.2.1 and 4.2.2.4) until they are written.
    fault : Out(1)
        The link does what it may not; high for one cycle.
    """

    dir: Signal
    nxt_in: Signal
    pace: Signal
    data: Signal
    stp: Signal
    nxt: Signal
    byte: Signal
    taken: Signal
    begins: Signal
    ends: Signal
    function: Signal
    otg: Signal
    fault: Signal

    def __init__(self):
        super().__init__(
            {
                **{name: In(1) for name in ("dir", "nxt_in", "pace", "stp")},
                **{name: Out(1) for name in ("nxt", "taken", "begins", "ends", "fault")},
                **{"data": In(8), "byte": Out(8), "otg": Out(8, init=0x06), "function": Out(8, init=0x41)},
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        was_dir, held, takes, wait = Signal(), Signal(8), Signal(), Signal(range(128))
        is_otg = Signal()
        value = Signal(8)
        chirps, fast = self.function[3:5] == 2, self.function[:3] == 0
        m.d.sync += [was_dir.eq(self.dir), held.eq(self.data), wait.eq(wait - (wait != 0))]
        m.d.comb += [self.nxt.eq(Mux(self.dir, self.nxt_in, takes)), self.byte.eq(self.data)]
        free = ~self.dir & ~was_dir
        kind, register = self.data[6:], self.data[:6]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.fault.eq(free & (self.stp | (kind == 3) | (kind == 0) & (register != 0)))
                m.d.sync += is_otg.eq(register == _OTG)
                with m.If(free & (kind == 1)):
                    m.d.comb += self.begins.eq(1)
                    m.d.sync += wait.eq(_START - 1)
                    m.next = "COMMAND"
                with m.Elif(free & (kind == 2)):
                    m.d.comb += self.fault.eq((register != _FUNCTION) & (register != _OTG))
                    m.next = "ADDRESS"
            with m.State("COMMAND"):
                m.d.comb += [takes.eq(wait == 0), self.taken.eq(takes & ~self.dir), self.fault.eq(self._strays(held))]
                with m.If(takes):
                    m.d.sync += wait.eq(Mux(chirps, 0, Mux(fast, _SYNC - 1, 8 * _BIT_CYCLES)))
                    m.next = "DATA"
                self._unless_interrupted(m)
            with m.State("DATA"):
                m.d.comb += [takes.eq((wait == 0) & (self.pace | ~fast)), self.taken.eq(takes & ~self.stp & ~self.dir)]
                with m.If(self.taken & ~fast & ~chirps):
                    m.d.sync += wait.eq(_BYTE_CYCLES - 1)
                with m.If(self.stp):
                    m.d.comb += [self.ends.eq(~self.dir), self.fault.eq(~self.dir & (self.data != 0))]
                    m.next = "IDLE"
                self._unless_interrupted(m)
            with m.State("ADDRESS"):
                m.d.comb += [takes.eq(self.pace), self.fault.eq(self._strays(held))]
                with m.If(takes):
                    m.next = "VALUE"
                self._unless_interrupted(m)
            with m.State("VALUE"):
                m.d.comb += [takes.eq(self.pace), self.fault.eq(~self.dir & self.stp)]
                m.d.sync += value.eq(self.data)
                with m.If(takes):
                    m.next = "WRITTEN"
                self._unless_interrupted(m)
            with m.State("WRITTEN"):
                m.d.comb += self.fault.eq(~self.dir & ~self.stp)
                with m.If(~self.dir & is_otg):
                    m.d.sync += self.otg.eq(value)
                with m.Elif(~self.dir):
                    m.d.sync += self.function.eq(value)
                m.next = "IDLE"
        return m

    def _unless_interrupted(self, m: Module) -> None:
        with m.If(self.dir):
            m.next = "IDLE"

    def _strays(self, held: Signal) -> Any:
        """What has to stay does not."""
        return ~self.dir & ((self.data != held) | self.stp)

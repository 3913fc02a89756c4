"""UlpiTranslator: a PHY behind ULPI, as luna wants to have it.

Tests: tests/hw/usb/test_ulpi_translator.py
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["UlpiTranslator"]

_J = 0b01
_TRANSMIT, _WRITE = 0x40, 0x80  # what a command begins with
_FUNCTION, _OTG = 0x04, 0x0A  # registers
_UNKNOWN = 0b11  # a transceiver that luna never selects
_ERROR = 0b11  # of a packet, in a report


class UlpiTranslator(wiring.Component):
    """UTMI to ULPI 1.1, at 60 MHz: packets, the state of the lines, and the two registers of the PHY that matter.

    What the PHY says goes into registers first; what it gets comes from registers at the pads, which are the caller's:
    so the PHY's hold and setup times are kept, and `nxt` has the time until the next edge to choose what follows. A
    command that the PHY interrupts is said again; a packet that it breaks off is thrown away.

    Members
    -------
    dir, nxt, data_i : In(1), In(1), In(8)
        The PHY's, straight from the pads. While `dir` is high, the bus is the PHY's.
    data_o, stp : Out(8), Out(1)
        What is at the pads from the next edge on.
    awake : In(1)
        The PHY has left its reset.
    rx_data, rx_valid, rx_active : Out(8), Out(1), Out(1)
        A packet from the cable; one that the PHY calls damaged ends with bytes that make it so.
    tx_data, tx_valid, tx_ready : In(8), In(1), Out(1)
        One to the cable. In the mode of chirps it is a state of the lines, for as long as it is valid.
    line_state : Out(2)
        At high speed 0 where the lines are silent.
    xcvr_select, term_select, op_mode : In(2), In(1), In(2)
        What the PHY's register Function Control says, soon.
    settled : Out(1)
        The PHY has got these for the first time.
    busy : Out(1)
        It has not got the latest, or the bus is in use.
    """

    dir: Signal
    nxt: Signal
    data_i: Signal
    data_o: Signal
    stp: Signal
    awake: Signal
    rx_data: Signal
    rx_valid: Signal
    rx_active: Signal
    tx_data: Signal
    tx_valid: Signal
    tx_ready: Signal
    line_state: Signal
    xcvr_select: Signal
    term_select: Signal
    op_mode: Signal
    settled: Signal
    busy: Signal

    def __init__(self):
        super().__init__(
            {
                **{name: In(1) for name in ("dir", "nxt", "awake", "tx_valid", "term_select")},
                **{name: In(8) for name in ("data_i", "tx_data")},
                **{name: In(2) for name in ("xcvr_select", "op_mode")},
                **{name: Out(1) for name in ("stp", "rx_valid", "rx_active", "tx_ready", "settled", "busy")},
                **{name: Out(8) for name in ("data_o", "rx_data")},
                "line_state": Out(2),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        self._receive(m)
        self._transmit(m)
        return m

    def _receive(self, m: Module) -> None:
        owned, turned, nxt, data = Signal(), Signal(), Signal(), Signal(8)
        seen, lines = Signal(2, init=_J), Signal(2)
        active, receiving, damaged = Signal(), Signal(), Signal()
        report, error, over, was_over, ending = Signal(), Signal(), Signal(), Signal(), Signal()
        m.d.sync += [owned.eq(self.dir), turned.eq(owned), nxt.eq(self.nxt), data.eq(self.data_i)]
        m.d.comb += [report.eq(owned & turned & ~nxt), error.eq(report & (data[4:6] == _ERROR))]
        with m.If(owned & ~turned):
            m.d.comb += receiving.eq(nxt)
        with m.Elif(owned):
            m.d.comb += receiving.eq(Mux(nxt, active, data[4]))
        with m.If(report):
            m.d.comb += lines.eq(data[:2])
        with m.Elif(self.term_select | receiving | ~active):
            m.d.comb += lines.eq(seen)
        # At full speed a packet is over with the J behind SE0, from which an answer's time counts.
        m.d.comb += over.eq(self.term_select & (was_over | (seen == 0) & (lines != 0)))
        m.d.sync += [
            *(seen.eq(lines), active.eq(receiving), damaged.eq(receiving & (error | damaged))),
            *(was_over.eq(over & receiving), ending.eq(self.term_select & ~over & (receiving | ending & (lines == 0)))),
        ]
        m.d.comb += [
            self.rx_data.eq(data),
            self.rx_valid.eq(owned & turned & nxt & active | error | damaged),
            self.rx_active.eq((receiving | damaged | ending) & ~over),
            self.line_state.eq(seen | (receiving & ~self.term_select)),
        ]

    def _transmit(self, m: Module) -> None:
        held, command = Signal(8), Signal(8)
        wanted, saying = Cat(self.xcvr_select, self.term_select, self.op_mode), Signal(5)
        said, otg_said = Signal(5, init=_UNKNOWN), Signal()
        first = _TRANSMIT | self.tx_data[:4]  # of a chirp, which is of zeros, a command without a PID
        m.d.sync += held.eq(self.data_o)
        m.d.comb += [
            self.settled.eq(otg_said & (said != _UNKNOWN)),
        ]
        with m.FSM() as machine:
            m.d.comb += self.busy.eq(~otg_said | (said != wanted) | ~machine.ongoing("IDLE"))
            with m.State("IDLE"), m.If(self.awake & ~self.dir):
                m.d.sync += [saying.eq(wanted), command.eq(first)]
                with m.If(~otg_said | (said != wanted)):
                    m.d.comb += self.data_o.eq(_WRITE | Mux(otg_said, _FUNCTION, _OTG))
                    m.next = "ADDRESS"
                with m.Elif(self.tx_valid):
                    m.d.comb += [self.data_o.eq(first), self.tx_ready.eq(1)]
                    m.next = "COMMAND"
            with m.State("ADDRESS"):
                with m.If(self.dir):
                    m.next = "IDLE"
                with m.Elif(self.nxt):
                    m.d.comb += self.data_o.eq(Mux(otg_said, Cat(saying, Const(0b10, 3)), 0))
                    m.next = "VALUE"
                with m.Else():
                    m.d.comb += self.data_o.eq(held)
            with m.State("VALUE"):
                with m.If(self.dir):
                    m.next = "IDLE"
                with m.Elif(self.nxt):
                    m.d.comb += self.stp.eq(1)
                    m.next = "WRITTEN"
                with m.Else():
                    m.d.comb += self.data_o.eq(held)
            with m.State("WRITTEN"):
                m.next = "IDLE"
                with m.If(~self.dir):
                    m.d.sync += otg_said.eq(1)
                    with m.If(otg_said):
                        m.d.sync += said.eq(saying)
            with m.State("COMMAND"):
                with m.If(self.dir):
                    m.next = "AGAIN"
                with m.Else():
                    self._go_on(m, held)
            with m.State("AGAIN"), m.If(~self.dir):
                m.d.comb += self.data_o.eq(command)
                m.next = "COMMAND"
            with m.State("DATA"):
                with m.If(self.dir):
                    m.next = "BROKEN"
                with m.Else():
                    self._go_on(m, held)
            with m.State("BROKEN"):
                m.d.comb += self.tx_ready.eq(1)
                with m.If(~self.tx_valid):
                    m.next = "IDLE"
            with m.State("STOP"):
                m.next = "IDLE"

    def _go_on(self, m: Module, held: Signal) -> None:
        """What the pads show until the PHY takes it; then the next byte, or the end."""
        with m.If(~self.nxt):
            m.d.comb += self.data_o.eq(held)
        with m.Elif(self.tx_valid):
            m.d.comb += [self.data_o.eq(self.tx_data), self.tx_ready.eq(1)]
            m.next = "DATA"
        with m.Else():
            m.d.comb += self.stp.eq(1)
            m.next = "STOP"

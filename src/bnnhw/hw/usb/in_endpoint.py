"""InEndpoint: a stream of bytes as packets to the host.

Tests: tests/hw/usb/test_bulk.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.storage.line_memory import LineMemory
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target

__all__ = ["PACKET_BYTES", "QUIET_CYCLES", "InEndpoint"]

PACKET_BYTES = 64
"""Of the longest packet, the longest that full speed has."""
QUIET_CYCLES = 256
"""Cycles without a byte after which what there is goes: 5 us at 48 MHz."""


class InEndpoint(wiring.Component):
    """Sends each byte once and in order (USB 2.0, 8.5.2 and 8.6): a packet while the next one fills.

    A packet goes when it is full, or when no byte has come for QUIET_CYCLES; then an empty one goes behind a full one,
    so that a host that reads more does not wait for it. It is kept until the host's ACK, and sent again until then. A
    reset drops both packets, and the next one is DATA0.

    Parameters
    ----------
    target : Target

    Members
    -------
    i : In(stream of unsigned(8))
    token, addressed : In(1), In(1)
        A token to the device has come; high for one cycle. The last token on the line was an IN to this endpoint.
    respond : In(1)
        The answer to the last token is due; high for one cycle.
    acknowledged : In(1)
        A handshake ACK has come; high for one cycle.
    clear : In(1)
        The next packet is a DATA0.
    nak : Out(1)
        There is nothing to send; with `respond`.
    toggle : Out(1)
        The packet is a DATA1.
    valid, first, last, data, ready : Out(1), Out(1), Out(1), Out(8), In(1)
        The bytes of a packet; `last` without `first` in its first cycle is an empty one.
    """

    i: stream.Interface
    token: Signal
    addressed: Signal
    respond: Signal
    acknowledged: Signal
    clear: Signal
    nak: Signal
    toggle: Signal
    valid: Signal
    first: Signal
    last: Signal
    data: Signal
    ready: Signal

    def __init__(self, *, target: Target):
        self.target = target
        super().__init__(
            {
                "i": In(flat_stream(8)),
                **{name: In(1) for name in ("token", "addressed", "respond", "acknowledged", "clear", "ready")},
                **{name: Out(1) for name in ("nak", "toggle", "valid", "first", "last")},
                "data": Out(8),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        position, length = Signal(range(PACKET_BYTES)), Signal(range(PACKET_BYTES + 1))
        filling, waiting = Signal(), Signal()  # which half of the memory fills; the other one holds a packet
        acknowledged = Signal()
        fill = self._fill(m, filling, waiting, length)
        m.submodules.memory = memory = LineMemory(depth=2 * PACKET_BYTES, width=8, store="block", target=self.target)
        m.d.comb += [
            memory.write_address.eq(Cat(fill[:-1], filling)),
            memory.write_data.eq(self.i.payload),
            memory.write_enable.eq(self.i.valid & self.i.ready),
            memory.read_address.eq(Cat(position, ~filling)),
            memory.read_enable.eq(1),
            self.data.eq(memory.read_data),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += position.eq(0)
                m.d.comb += self.nak.eq(self.addressed & self.respond & ~waiting)
                with m.If(self.addressed & self.respond & waiting):
                    m.next = "SEND"
            with m.State("SEND"):
                empty = length == 0
                m.d.comb += [
                    self.valid.eq(1),
                    self.first.eq((position == 0) & ~empty),
                    self.last.eq(empty | (position == length - 1)),
                ]
                with m.If(self.ready):
                    m.d.sync += position.eq(position + 1)
                with m.If(self.last & (self.ready | empty)):
                    m.next = "SENT"
            with m.State("SENT"):
                m.d.comb += acknowledged.eq(self.addressed & self.acknowledged)
                with m.If(self.token | acknowledged):
                    m.next = "IDLE"
        with m.If(acknowledged):
            m.d.sync += [waiting.eq(0), self.toggle.eq(~self.toggle)]
        with m.If(self.clear):
            m.d.sync += self.toggle.eq(0)
        return m

    def _fill(self, m: Module, filling: Signal, waiting: Signal, length: Signal) -> Signal:
        """Takes bytes, and passes a packet of `length` bytes on while none waits; the bytes taken since."""
        fill = Signal(range(PACKET_BYTES + 1))
        silence, after_full = Signal(range(QUIET_CYCLES + 1)), Signal()
        full, quiet = fill[-1], silence[-1]
        m.d.comb += self.i.ready.eq(~full)
        with m.If(self.i.valid):
            m.d.sync += [silence.eq(0), fill.eq(fill + ~full)]
        with m.Elif(~quiet):
            m.d.sync += silence.eq(silence + 1)
        with m.If(~waiting & (full | quiet & ~self.i.valid & (fill.any() | after_full))):
            m.d.sync += [waiting.eq(1), length.eq(fill), filling.eq(~filling), fill.eq(0), after_full.eq(full)]
        return fill

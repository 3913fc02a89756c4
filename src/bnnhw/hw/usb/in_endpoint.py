"""InEndpoint: a stream of bytes as packets to the host.

Tests: tests/hw/usb/test_bulk.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.storage.line_memory import LineMemory
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target

from .descriptors import FULL_SPEED_PACKET

__all__ = ["QUIET_CYCLES", "InEndpoint"]

QUIET_CYCLES = 256
"""Cycles without a byte after which what there is goes: 5 us at 48 MHz."""


class InEndpoint(wiring.Component):
    """Sends each byte once and in order (USB 2.0, 8.5.2 and 8.6): a packet while the next one fills.

    A packet goes when it is full, or when no byte has come for QUIET_CYCLES; then an empty one goes behind a full one,
    so that a host that reads more does not wait for it. It is kept until the host's ACK, and sent again until then. A
    reset drops both packets, and the next one is DATA0.

    Parameters
    ----------
    packet_bytes : int
        Of the longest packet, a power of two from FULL_SPEED_PACKET on.
    target : Target

    Members
    -------
    fast : In(1)
        Packets are full with `packet_bytes`; otherwise with FULL_SPEED_PACKET.
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

    fast: Signal
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

    def __init__(self, *, packet_bytes: int, target: Target):
        self.packet_bytes = packet_bytes
        self.target = target
        super().__init__(
            {
                "i": In(flat_stream(8)),
                **{name: In(1) for name in ("fast", "token", "addressed", "respond", "acknowledged", "clear", "ready")},
                **{name: Out(1) for name in ("nak", "toggle", "valid", "first", "last")},
                "data": Out(8),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        place, left = Signal(range(self.packet_bytes)), Signal(range(self.packet_bytes + 1))
        length, fetch, fresh = Signal.like(left), Signal(), Signal()
        filling, waiting = Signal(), Signal()  # which half of the memory fills; the other one holds a packet
        acknowledged = Signal()
        fill = self._fill(m, filling, waiting, length)
        depth = 2 * self.packet_bytes
        m.submodules.memory = memory = LineMemory(depth=depth, width=8, store="block", target=self.target)
        m.d.comb += [
            memory.write_address.eq(Cat(fill[:-1], filling)),
            memory.write_data.eq(self.i.payload),
            memory.write_enable.eq(self.i.valid & self.i.ready),
            memory.read_address.eq(Cat(place, ~filling)),
            memory.read_enable.eq(fetch),
            self.data.eq(memory.read_data),
        ]
        with m.FSM():
            with m.State("IDLE"):  # the first byte is on its way out of the memory
                m.d.comb += [fetch.eq(1), self.nak.eq(self.addressed & self.respond & ~waiting)]
                m.d.sync += [place.eq(0), left.eq(length)]
                with m.If(self.addressed & self.respond & waiting):
                    m.d.sync += place.eq(1)
                    m.next = "BEGIN"
            with m.State("BEGIN"):  # and the second one behind it
                m.d.comb += [fetch.eq(1), self.valid.eq(1), self.first.eq(left != 0), self.last.eq(left <= 1)]
                m.d.sync += [place.eq(2), fresh.eq(1)]
                m.next = "SEND"
                with m.If(left == 0):
                    m.next = "SENT"
            with m.State("SEND"):
                m.d.comb += [fetch.eq(self.ready), self.valid.eq(1), self.first.eq(fresh), self.last.eq(left == 1)]
                with m.If(self.ready):
                    m.d.sync += [fresh.eq(0), place.eq(place + 1), left.eq(left - 1)]
                    with m.If(self.last):
                        m.next = "SENT"
            with m.State("SENT"):
                m.d.comb += [fetch.eq(1), acknowledged.eq(self.addressed & self.acknowledged)]
                m.d.sync += place.eq(0)
                with m.If(self.token | acknowledged):
                    m.next = "IDLE"
        with m.If(acknowledged):
            m.d.sync += [waiting.eq(0), self.toggle.eq(~self.toggle)]
        with m.If(self.clear):
            m.d.sync += self.toggle.eq(0)
        return m

    def _fill(self, m: Module, filling: Signal, waiting: Signal, length: Signal) -> Signal:
        """Takes bytes, and passes a packet of `length` bytes on while none waits; the bytes taken since."""
        fill = Signal(range(self.packet_bytes + 1))
        silence, after_full = Signal(range(QUIET_CYCLES + 1)), Signal()
        full, quiet = Signal(), silence[-1]
        slow_bit = FULL_SPEED_PACKET.bit_length() - 1
        m.d.comb += [full.eq(Mux(self.fast, fill[-1], fill[slow_bit:].any())), self.i.ready.eq(~full)]
        with m.If(self.i.valid):
            m.d.sync += [silence.eq(0), fill.eq(fill + ~full)]
        with m.Elif(~quiet):
            m.d.sync += silence.eq(silence + 1)
        with m.If(~waiting & (full | quiet & ~self.i.valid & (fill.any() | after_full))):
            m.d.sync += [waiting.eq(1), length.eq(fill), filling.eq(~filling), fill.eq(0), after_full.eq(full)]
        return fill

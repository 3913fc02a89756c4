"""OutEndpoint: packets from the host as a stream of bytes.

Tests: tests/hw/usb/test_bulk.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

__all__ = ["OutEndpoint"]


class OutEndpoint(wiring.Component):
    """Takes each packet once, whole and in order (USB 2.0, 8.5.2 and 8.6).

    A packet is judged when its handshake is due: what is damaged is dropped without one; what was taken before is
    dropped with an ACK, as the host has missed the last one; what found the queue full is dropped with a NAK. Data
    behind a token that was damaged are nobody's, and those behind another device's are that one's. A reset empties the
    queue, and the next packet is DATA0.

    At high speed the host asks first where it has reason to, by a PING, and `full` makes a NYET of an ACK: there is no
    room for another packet (8.5.1).

    Parameters
    ----------
    packet_bytes : int
        Of the longest packet.
    depth : int
        Bytes of the queue, a power of two.
    target : Target

    Members
    -------
    token, addressed : In(1), In(1)
        A token to the device has come; high for one cycle. The last token on the line was an OUT to this endpoint.
    data, data_valid : In(8), In(1)
        A byte of a packet, without its CRC; high for one cycle.
    complete, invalid : In(1), In(1)
        A packet's handshake is due; its CRC was wrong. Each is high for one cycle.
    toggle : In(1)
        The packet is a DATA1.
    ping : In(1)
        The host asks whether there is room for a packet, and its answer is due; high for one cycle.
    clear : In(1)
        The next packet is a DATA0.
    ack, nak : Out(1), Out(1)
        The handshake, with `complete` or `ping`.
    full : Out(1)
        There is no room for the longest packet behind those that came.
    o : Out(stream of unsigned(8))
    """

    token: Signal
    addressed: Signal
    data: Signal
    data_valid: Signal
    complete: Signal
    invalid: Signal
    toggle: Signal
    ping: Signal
    clear: Signal
    ack: Signal
    nak: Signal
    full: Signal
    o: stream.Interface

    def __init__(self, *, packet_bytes: int, depth: int, target: Target):
        self.packet_bytes = packet_bytes
        self.depth = depth
        self.target = target
        strobes = ("token", "addressed", "data_valid", "complete", "invalid", "toggle", "ping", "clear")
        super().__init__(
            {
                **{name: In(1) for name in strobes},
                "data": In(8),
                "ack": Out(1),
                "nak": Out(1),
                "full": Out(1),
                "o": Out(flat_stream(8)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = Fifo(width=8, depth=self.depth, target=self.target)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        expected, awaited, lost = Signal(), Signal(), Signal()
        ours = awaited & self.addressed  # no other token came since
        new = self.toggle == expected
        judged = ours & self.complete
        m.d.comb += [
            queue.i.payload.eq(self.data),
            queue.i.valid.eq(ours & self.data_valid),
            self.ack.eq(judged & ~(new & lost) | self.ping & ~self.full),
            self.nak.eq(judged & new & lost | self.ping & self.full),
            queue.commit.eq(judged & new & ~lost),
            queue.rollback.eq(ours & self.invalid | judged & ~queue.commit),
        ]
        m.d.sync += self.full.eq(queue.level > self.depth - 2 - self.packet_bytes)
        with m.If(queue.i.valid & ~queue.i.ready):
            m.d.sync += lost.eq(1)
        with m.If(self.token):
            m.d.sync += [awaited.eq(self.addressed), lost.eq(0)]
        with m.Elif(self.complete | self.invalid):
            m.d.sync += awaited.eq(0)
        with m.If(self.clear):
            m.d.sync += expected.eq(0)
        with m.Elif(queue.commit):
            m.d.sync += expected.eq(~expected)
        return m

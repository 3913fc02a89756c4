"""DatagramPacker: which of the link's bytes go into one datagram.

Tests: tests/hw/ethernet/test_datagram_sender.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import FLAG
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

__all__ = ["LENGTH_BITS", "DatagramPacker"]

LENGTH_BITS = 11
LENGTHS = 32  # datagrams that wait, at most


class DatagramPacker(wiring.Component):
    """Packs frames: whole ones, as far as one fits, as `bnnhw.hw.datagrams.pack`.

    A datagram is closed where the next byte would not fit any more, or some time after its first whole frame was there.

    Parameters
    ----------
    room : int
        Bytes of a datagram's payload, at most.
    patience : int
        Cycles that a whole frame waits for others.
    depth : int
        Bytes of the queue, a power of two: of two datagrams at least, so that one is filled while another is sent.
    target : Target

    Members
    -------
    i : In(stream of unsigned(8))
    o : Out(stream of unsigned(8))
        The same bytes; those of a datagram one a cycle, from 16 cycles after its length on.
    lengths : Out(stream of unsigned(LENGTH_BITS))
        Of the next datagram, once all of its bytes are in the queue.
    """

    i: stream.Interface
    o: stream.Interface
    lengths: stream.Interface

    def __init__(self, *, room: int, patience: int, depth: int, target: Target):
        if not 1 <= room < 1 << LENGTH_BITS or depth <= 2 * room:
            raise ValueError(f"room={room} must be positive, below {1 << LENGTH_BITS} and half of depth={depth}")
        if patience < 1:
            raise ValueError(f"patience={patience} must be at least 1")
        self.room = room
        self.patience = patience
        self.bytes = Fifo(width=8, depth=depth, target=target)
        self.front = Fifo(width=8, depth=8, target=target)  # covers the gap that a byte leaves which came alone
        self.closed = Fifo(width=LENGTH_BITS, depth=LENGTHS, target=target)
        ports = {"i": In(flat_stream(8)), "o": Out(flat_stream(8)), "lengths": Out(flat_stream(LENGTH_BITS))}
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.bytes, m.submodules.closed = queue, closed = self.bytes, self.closed
        m.submodules.front = front = self.front
        wiring.connect(m, queue.o, front.i)
        wiring.connect(m, front.o, wiring.flipped(self.o))
        wiring.connect(m, closed.o, wiring.flipped(self.lengths))
        count, whole = Signal(LENGTH_BITS), Signal(LENGTH_BITS)  # bytes since the last datagram; those of whole frames
        full, some, begun, due = Signal(), Signal(), Signal(), Signal()  # some: whole != 0, begun: bytes since a flag
        left = Signal(range(self.patience))
        closes, taken = Signal(), Signal()
        length = Mux(some, whole, count)
        m.d.comb += [
            closes.eq((full | due) & closed.i.ready),
            closed.i.valid.eq(closes),
            closed.i.payload.eq(length),
            queue.i.payload.eq(self.i.payload),
            queue.i.valid.eq(self.i.valid & ~full & ~closes),
            self.i.ready.eq(queue.i.ready & ~full & ~closes),
            taken.eq(self.i.valid & self.i.ready),
        ]
        with m.If(some & ~due):
            m.d.sync += [left.eq(left - 1), due.eq(left == 0)]
        with m.If(taken):
            m.d.sync += [count.eq(count + 1), full.eq(count == self.room - 1), begun.eq(self.i.payload != FLAG)]
            with m.If(begun & (self.i.payload == FLAG)):
                m.d.sync += [whole.eq(count + 1), some.eq(1)]
                with m.If(~some):
                    m.d.sync += left.eq(self.patience - 1)
        with m.If(closes):
            m.d.sync += [count.eq(count - length), whole.eq(0), full.eq(0), some.eq(0), due.eq(0)]
        return m

"""CycleMeter: how long each image spent in the core."""

# pyright: reportGeneralTypeIssues=false
# (amaranth's `with m.If` is a decorated generator, which pyright takes for a plain one)

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .fifo import Fifo, fifo_latency
from .stream import flat_stream

__all__ = ["CycleMeter"]


class CycleMeter(wiring.Component):
    """Gives for each image the cycles from its `begin` to its `end`, modulo 2^32, in order.

    Parameters
    ----------
    images : int
        Images that may have begun and not been read from `o`, a power of two.

    Members
    -------
    begin, end : In(1)
        An image begins, or the oldest begun image ends; the same cycle may be both.
    ready : Out(1)
        An image may begin.
    o : Out(stream of unsigned(32))
    """

    begin: Signal
    end: Signal
    ready: Signal
    o: stream.Interface

    def __init__(self, *, images: int):
        self.images = images
        super().__init__({"begin": In(1), "end": In(1), "ready": Out(1), "o": Out(flat_stream(32))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.begun = begun = Fifo(width=32, depth=self.images, technology="portable")
        m.submodules.measured = measured = Fifo(width=32, depth=self.images, technology="portable")
        wiring.connect(m, measured.o, wiring.flipped(self.o))

        in_flight = Signal(range(self.images + 1))
        m.d.comb += self.ready.eq(in_flight != self.images)
        m.d.sync += in_flight.eq(in_flight + self.begin - (self.o.valid & self.o.ready))

        # An end is looked at so much later that its begin has passed the queue, by a clock that is as much late.
        delay = fifo_latency(self.images)
        now = Signal(32)
        past = Signal(32, init=2**32 - delay)
        with m.If(self.begin | (in_flight != 0)):  # an idle design stands still
            m.d.sync += [now.eq(now + 1), past.eq(past + 1)]
        ended = Signal(delay)
        m.d.sync += [
            ended.eq(ended << 1 | self.end),
            measured.i.payload.eq(past - begun.o.payload),
            measured.i.valid.eq(ended[-1]),
        ]
        m.d.comb += [
            begun.i.payload.eq(now),
            begun.i.valid.eq(self.begin),
            begun.o.ready.eq(ended[-1]),
        ]
        return m

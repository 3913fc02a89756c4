"""CycleMeter: how long each image spent in the core.

Tests: tests/hw/link/test_link_load.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo, fifo_latency
from bnnhw.hw.targets import PORTABLE

__all__ = ["CycleMeter"]


class CycleMeter(wiring.Component):
    """Gives for each image the cycles from its group's `begin` to that group's `end`, modulo 2^32, in order.

    An image of several chunks begins with the first of them, so its cycles contain its wait for the link.

    Parameters
    ----------
    groups : int
        Groups that may have begun and not been read from `o`, a power of two.
    vectors : int
        Images in a group, at most.

    Members
    -------
    begin, end : In(1)
        A group begins, or the oldest begun group ends; the same cycle may be both.
    images : In(range(vectors + 1))
        With `begin`: how many images the group has.
    ready : Out(1)
        A group may begin, and one more may have begun in the cycle before.
    o : Out(stream of unsigned(32))
        One beat an image.
    """

    begin: Signal
    end: Signal
    images: Signal
    ready: Signal
    o: stream.Interface

    def __init__(self, *, groups: int, vectors: int):
        self.groups = groups
        self.vectors = vectors
        super().__init__(
            {
                "begin": In(1),
                "end": In(1),
                "images": In(range(vectors + 1)),
                "ready": Out(1),
                "o": Out(flat_stream(32)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # What begins and ends may be far away on the chip: both are looked at one cycle later.
        begin, end, images = Signal(), Signal(), Signal.like(self.images)
        m.d.sync += [begin.eq(self.begin), end.eq(self.end), images.eq(self.images)]
        kept = images if self.vectors > 1 else images[:0]  # a group has an image, or how many it has
        width = 32 + len(kept)
        # Both have room for all groups in flight, so neither waits for a ready.
        m.submodules.begun = begun = Fifo(width=width, depth=self.groups, target=PORTABLE, limit=self.groups)
        m.submodules.measured = measured = Fifo(width=width, depth=self.groups, target=PORTABLE, limit=self.groups)
        begun_at, begun_images = begun.o.payload[:32], begun.o.payload[32:]
        read, last = Signal(range(self.vectors)), Signal()  # of the oldest group
        m.d.comb += [
            self.o.payload.eq(measured.o.payload[:32]),
            self.o.valid.eq(measured.o.valid),
            last.eq((read + 1 == measured.o.payload[32:]) if len(kept) else 1),
            measured.o.ready.eq(self.o.ready & last),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += read.eq(read + 1)
            with m.If(last):
                m.d.sync += read.eq(0)

        in_flight = Signal(range(self.groups + 1))
        m.d.comb += self.ready.eq(in_flight < self.groups - 1)
        m.d.sync += in_flight.eq(in_flight + begin - (measured.o.valid & measured.o.ready))

        # An end is looked at so much later that its begin has passed the queue, by a clock that is as much late.
        delay = fifo_latency(self.groups)
        now = Signal(32)
        past = Signal(32, init=2**32 - delay)
        with m.If(begin | (in_flight != 0)):  # an idle design stands still
            m.d.sync += [now.eq(now + 1), past.eq(past + 1)]
        ended = Signal(delay)
        m.d.sync += [
            ended.eq(ended << 1 | end),
            measured.i.payload.eq(Cat((past - begun_at)[:32], begun_images)),
            measured.i.valid.eq(ended[-1]),
        ]
        m.d.comb += [
            begun.i.payload.eq(Cat(now, kept)),
            begun.i.valid.eq(begin),
            begun.o.ready.eq(ended[-1]),
        ]
        return m

"""FrameArbiter: one stream of the frames of several."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Hands frames on whole; where both inputs offer one, that of `first` goes before. A frame waits for a cycle.

    Members
    -------
    first, second : In(stream of unsigned(9))
        Cat(byte, whether it is the last one of its frame).
    o : Out(stream of unsigned(9))
    """

    first: stream.Interface
    second: stream.Interface
    o: stream.Interface

    def __init__(self):
        super().__init__({"first": In(flat_stream(9)), "second": In(flat_stream(9)), "o": Out(flat_stream(9))})

    def elaborate(self, platform) -> Module:
        m = Module()
        busy, of_second = Signal(), Signal()
        with m.If(~busy):
            m.d.sync += [busy.eq(self.first.valid | self.second.valid), of_second.eq(~self.first.valid)]
        for number, i in enumerate((self.first, self.second)):
            with m.If(busy & (of_second == number)):
                m.d.comb += [self.o.payload.eq(i.payload), self.o.valid.eq(i.valid), i.ready.eq(self.o.ready)]
                with m.If(i.valid & self.o.ready & i.payload[8]):
                    m.d.sync += busy.eq(0)
        return m

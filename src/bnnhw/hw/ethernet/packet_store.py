"""PacketStore: packets that have arrived whole, as a stream that can wait."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

from .arrivals import arrivals

__all__ = ["PacketStore"]


class PacketStore(wiring.Component):
    """Keeps the good packets, and drops the others and those that find no room.

    Parameters
    ----------
    depth : int
        Bytes of its memory, a power of two.
    target : Target

    Members
    -------
    i : In(arrivals())
    o : Out(stream of unsigned(9))
        Cat(byte, whether it is the last one of its packet). A packet is offered once it is there whole, one byte a
        cycle.
    """

    i: Any
    o: stream.Interface

    def __init__(self, *, depth: int, target: Target):
        self.fifo = Fifo(width=9, depth=depth, target=target)
        super().__init__({"i": In(arrivals()), "o": Out(flat_stream(9))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fifo = fifo = self.fifo
        wiring.connect(m, fifo.o, wiring.flipped(self.o))
        byte, held, overrun = Signal(8), Signal(), Signal()  # a byte waits until it is known whether it is the last one
        kept = self.i.good & ~overrun & fifo.i.ready
        m.d.comb += [
            fifo.i.payload.eq(Cat(byte, self.i.end)),
            fifo.i.valid.eq(held & (self.i.valid | self.i.end)),
            fifo.commit.eq(self.i.end & kept),
            fifo.rollback.eq(self.i.end & ~kept),
        ]
        with m.If(self.i.valid):
            m.d.sync += [byte.eq(self.i.data), held.eq(1)]
        with m.If(fifo.i.valid & ~fifo.i.ready):
            m.d.sync += overrun.eq(1)
        with m.If(self.i.end):
            m.d.sync += [held.eq(0), overrun.eq(0)]
        return m

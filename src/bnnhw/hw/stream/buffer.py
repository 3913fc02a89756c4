"""Registers and queues between components that speak valid/ready streams of flat payloads."""

from itertools import count

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .flow import Channel, Flow, Process

__all__ = ["StreamBuffer", "buffer_process", "flat_stream"]


def flat_stream(width: int) -> stream.Signature:
    """The signature of a stream of `unsigned(width)` payloads."""
    if width < 1:
        raise ValueError(f"width={width} must be at least 1")
    return stream.Signature(unsigned(width))  # pyright: ignore[reportArgumentType]


def buffer_process(i: Channel, o: Channel) -> Process:
    """The flow of a StreamBuffer: a beat is offered one cycle after it was accepted; with one waiting at the output and
    one behind it, the next is accepted one cycle after the first was taken."""
    for number in count():
        accepted = max((yield i), (yield o.takes, number - 2) + 1)
        i.take(accepted)
        o.give(accepted + 1)


class StreamBuffer(wiring.Component):
    """Cuts every combinational path between `i` and `o`: one cycle of latency, one beat a cycle, room for two beats.

    `i.ready` and `o.valid` come from registers. The second register takes the beat that arrives in the cycle in which
    `o` begins to stall.

    Parameters
    ----------
    width : int
        Bits of a beat.

    Members
    -------
    i : In(stream of unsigned(width))
    o : Out(stream of unsigned(width))
    """

    i: stream.Interface
    o: stream.Interface

    latency = 1

    def __init__(self, *, width: int):
        self.width = width
        super().__init__({"i": In(flat_stream(width)), "o": Out(flat_stream(width))})

    def __repr__(self) -> str:
        return f"StreamBuffer(width={self.width})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `buffer_process`."""
        return [buffer_process(i, o)]

    def elaborate(self, platform) -> Module:
        m = Module()
        spare = Signal(self.width)
        spare_full = Signal()
        m.d.comb += self.i.ready.eq(~spare_full)
        with m.If(self.i.ready):
            m.d.sync += spare.eq(self.i.payload)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [
                self.o.valid.eq(self.i.valid | spare_full),
                self.o.payload.eq(self.i.payload),
                spare_full.eq(0),
            ]
            with m.If(spare_full):
                m.d.sync += self.o.payload.eq(spare)
        with m.Elif(self.i.ready):
            m.d.sync += spare_full.eq(self.i.valid)
        return m

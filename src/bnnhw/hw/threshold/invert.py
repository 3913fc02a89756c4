"""Invert: some channels of a stream, inverted bit by bit."""

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, wire_process

__all__ = ["Invert"]


class Invert(wiring.Component):
    """o[p, c] = channels[c] ? 2^bits - 1 - i[p, c] : i[p, c], without a register.

    Parameters
    ----------
    channels : sequence of bool
        Which ones to invert.
    lanes : int
        Channels of a pixel in a beat, a divisor of their number; the pixel's next channels follow.
    pixels : int
        Pixels side by side.
    bits : int
        Of an element.

    Members
    -------
    i, o : In, Out(stream of unsigned(pixels * lanes * bits))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, channels: Sequence[bool], lanes: int, pixels: int = 1, bits: int = 1):
        if lanes < 1 or len(channels) % lanes:
            raise ValueError(f"lanes={lanes} must divide the {len(channels)} channels")
        self.channels = tuple(map(bool, channels))
        self.lanes = lanes
        self.pixels = pixels
        self.bits = bits
        width = pixels * lanes * bits
        super().__init__({"i": In(flat_stream(width)), "o": Out(flat_stream(width))})

    def __repr__(self) -> str:
        return f"Invert(channels={len(self.channels)}, lanes={self.lanes}, pixels={self.pixels}, bits={self.bits})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """A wire's."""
        return [wire_process(i, o)]

    def elaborate(self, platform) -> Module:
        m = Module()
        beats = len(self.channels) // self.lanes
        masks = [
            sum(bit << lane for lane, bit in enumerate(self.channels[beat * self.lanes : (beat + 1) * self.lanes]))
            for beat in range(beats)
        ]
        beat = Signal(range(beats))
        mask = Signal(self.lanes, init=masks[0])  # of the beat at hand
        following = Array(Const(mask, self.lanes) for mask in [*masks[1:], masks[0]])
        if beats > 1:
            with m.If(self.i.valid & self.i.ready):
                m.d.sync += [beat.eq(beat + 1), mask.eq(following[beat])]
                with m.If(beat == beats - 1):
                    m.d.sync += beat.eq(0)
        else:
            mask = Const(masks[0], self.lanes)
        m.d.comb += [
            self.o.payload.eq(self.i.payload ^ Cat(bit.replicate(self.bits) for bit in mask).replicate(self.pixels)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m

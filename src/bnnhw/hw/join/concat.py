"""Concat: the channels of several streams, one after the other."""

from collections.abc import Sequence
from itertools import count

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.targets import Cells

__all__ = ["Concat", "concat_area", "concat_process"]


def concat_process(inputs: Sequence[Channel], o: Channel) -> Process:
    """The flow of a Concat: a beat is offered when each input offers one, and all are accepted when it is taken."""
    for number in count():
        offered = yield inputs[0]
        for i in inputs[1:]:
            offered = max(offered, (yield i))
        o.give(offered)
        accepted = yield o.takes, number
        for i in inputs:
            i.take(accepted)


def concat_area(inputs: int) -> Cells:
    """The cells of a Concat."""
    luts = 1 + inputs
    return Cells(logic=luts, luts=luts, carries=0)


class Concat(wiring.Component):
    """o[p] = (i0[p, 0], i0[p, 1], .., i1[p, 0], ..): the channels of each pixel side by side, without a register.

    Beats hold whole pixels. `o.valid` says that all inputs are; the `ready` of each depends on `o.ready` and on the
    `valid` of the others.

    Parameters
    ----------
    channels : sequence of int
        Of a pixel of each input; at least 2 inputs.
    pixels : int
        Pixels side by side.
    bits : int
        Of an element.

    Members
    -------
    i0, i1, .. : In(stream of unsigned(pixels * channels[k] * bits))
    o : Out(stream of unsigned(pixels * sum(channels) * bits))
    """

    o: stream.Interface

    def __init__(self, *, channels: Sequence[int], pixels: int = 1, bits: int = 1):
        self.channels = tuple(channels)
        self.pixels = pixels
        self.bits = bits
        if len(self.channels) < 2 or min(self.channels) < 1:
            raise ValueError(f"channels={self.channels} must be those of 2 inputs at least, each at least 1")
        ports = {f"i{number}": In(flat_stream(pixels * each * bits)) for number, each in enumerate(self.channels)}
        super().__init__({**ports, "o": Out(flat_stream(pixels * sum(self.channels) * bits))})

    def __repr__(self) -> str:
        return f"Concat(channels={self.channels}, pixels={self.pixels}, bits={self.bits})"

    def flow(self, o: Channel, **inputs: Channel) -> Flow:
        """See `concat_process`."""
        return [concat_process(tuple(inputs.values()), o)]

    def elaborate(self, platform) -> Module:
        m = Module()
        inputs = [getattr(self, f"i{number}") for number in range(len(self.channels))]
        pixels = (
            i.payload.word_select(pixel, channels * self.bits)
            for pixel in range(self.pixels)
            for i, channels in zip(inputs, self.channels, strict=True)
        )
        m.d.comb += [self.o.payload.eq(Cat(pixels)), self.o.valid.eq(Cat(i.valid for i in inputs).all())]
        for number, i in enumerate(inputs):
            others = Cat(other.valid for other in inputs[:number] + inputs[number + 1 :])
            m.d.comb += i.ready.eq(self.o.ready & others.all())
        return m

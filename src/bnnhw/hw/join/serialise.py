"""Serialise: frames of several streams, one after the other on one stream."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.targets import Cells

__all__ = ["Serialise", "serialise_area", "serialise_process"]


def serialise_process(inputs: Sequence[Channel], o: Channel, *, beats: Sequence[int]) -> Process:
    """The flow of a Serialise: the beats of a frame of the first input, then those of the next, and so on for ever.

    A beat is accepted when it is taken, and the next one is offered in the cycle after that, at the soonest.
    """
    number = free = 0
    while True:
        for i, count in zip(inputs, beats, strict=True):
            for _ in range(count):
                o.give(max((yield i), free))
                taken = yield o.takes, number
                i.take(taken)
                number, free = number + 1, taken + 1


def serialise_area(*, elements: int, widths: Sequence[int], beats: Sequence[int]) -> Cells:
    """The cells of a Serialise, about: a choice for each bit, and a counter of beats."""
    contributors = [sum(width > bit for width in widths) for bit in range(max(widths))]
    counter = (max(beats) - 1).bit_length()
    luts = elements * sum(2 * each - 1 if each > 2 else 1 for each in contributors) + 2 * counter + 2 * len(widths)
    ffs = counter + (len(widths) - 1).bit_length()
    return Cells(logic=luts, luts=luts, ffs=ffs, carries=counter // 2)


class Serialise(wiring.Component):
    """o = a frame of i0, then a frame of i1, .., and again from i0 on; without a register in the stream.

    Elements become as wide as the widest input's, with zeros above. `o.valid` is that of the input whose turn it is,
    and its `ready` is `o.ready`.

    Parameters
    ----------
    elements : int
        In a beat of each input.
    widths : sequence of int
        Bits of an element of each input; at least 2 inputs.
    beats : sequence of int
        Of a frame of each input.

    Members
    -------
    i0, i1, .. : In(stream of unsigned(elements * widths[k]))
    o : Out(stream of unsigned(elements * max(widths)))
    """

    o: stream.Interface

    def __init__(self, *, elements: int, widths: Sequence[int], beats: Sequence[int]):
        self.elements = elements
        self.widths = tuple(widths)
        self.beats = tuple(beats)
        if len(self.widths) < 2 or len(self.beats) != len(self.widths):
            raise ValueError(f"widths={self.widths} and beats={self.beats} must be those of the same 2 inputs or more")
        if min(elements, *self.widths, *self.beats) < 1:
            raise ValueError(f"elements={elements}, widths={self.widths}, beats={self.beats} must all be at least 1")
        ports = {f"i{number}": In(flat_stream(elements * width)) for number, width in enumerate(self.widths)}
        super().__init__({**ports, "o": Out(flat_stream(elements * max(self.widths)))})

    def __repr__(self) -> str:
        return f"Serialise(elements={self.elements}, widths={self.widths}, beats={self.beats})"

    def flow(self, o: Channel, **inputs: Channel) -> Flow:
        """See `serialise_process`."""
        return [serialise_process(tuple(inputs.values()), o, beats=self.beats)]

    def elaborate(self, platform) -> Module:
        m = Module()
        turn = Signal(range(len(self.widths)))
        beat = Signal(range(max(self.beats)))
        with m.Switch(turn):
            for number, (width, beats) in enumerate(zip(self.widths, self.beats, strict=True)):
                i = getattr(self, f"i{number}")
                parts = [i.payload.word_select(place, width) for place in range(self.elements)]
                widened = Cat(Cat(part, Const(0, max(self.widths) - width)) for part in parts)
                with m.Case(number):
                    m.d.comb += [self.o.payload.eq(widened), self.o.valid.eq(i.valid), i.ready.eq(self.o.ready)]
                    with m.If(i.valid & self.o.ready):
                        m.d.sync += beat.eq(beat + 1)
                        with m.If(beat == beats - 1):
                            m.d.sync += [beat.eq(0), turn.eq((number + 1) % len(self.widths))]
        return m

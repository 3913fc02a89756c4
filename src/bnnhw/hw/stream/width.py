"""WidthConverter: the same elements in beats of another number of lanes."""

import math
from itertools import count

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .buffer import flat_stream
from .flow import Channel, Flow, Process, wire_process

__all__ = ["WidthConverter", "width_converter_flow"]


def width_converter_flow(i: Channel, o: Channel, *, in_lanes: int, out_lanes: int) -> Flow:
    """The flow of a WidthConverter.

    - equal lanes: a wire, no latency;
    - wider, n input beats to an output beat: the output beat is offered one cycle after its last part was accepted, and
      the next part is accepted when it is taken, at the soonest;
    - narrower, n output beats to an input beat: they are offered in the cycles after the input beat was accepted, and
      the next one is accepted when the last of them is taken;
    - otherwise narrower to gcd(in_lanes, out_lanes) lanes, then wider.
    """
    middle = math.gcd(in_lanes, out_lanes)
    if in_lanes == middle:
        return [_widen_process(i, o, out_lanes // middle) if out_lanes > middle else wire_process(i, o)]
    if out_lanes == middle:
        return [_narrow_process(i, o, in_lanes // middle)]
    between = Channel()
    return [_narrow_process(i, between, in_lanes // middle), _widen_process(between, o, out_lanes // middle)]


def _narrow_process(i: Channel, o: Channel, parts: int) -> Process:
    for number in count():
        accepted = max((yield i), (yield o.takes, number * parts - 1))
        i.take(accepted)
        for _ in range(parts):
            o.give(accepted + 1)


def _widen_process(i: Channel, o: Channel, parts: int) -> Process:
    for number in count():
        accepted = yield o.takes, number - 1
        for _ in range(parts):
            accepted = max((yield i), accepted)
            i.take(accepted)
        o.give(accepted + 1)


class WidthConverter(wiring.Component):
    """Regroups elements: beats of `in_lanes` elements become beats of `out_lanes` elements, in the same order.

    Where one number divides the other, no cycle is lost: the narrower side carries a beat in every cycle. Otherwise
    elements pass through beats of gcd(in_lanes, out_lanes) lanes, one such beat a cycle. `width_converter_flow` gives
    the exact cycles. `i.ready` depends on `o.ready` in the same cycle; `o` comes from registers, with equal lanes `o`
    is `i`.

    Parameters
    ----------
    width : int
        Bits of an element.
    in_lanes, out_lanes : int
        Elements of one vector in a beat of `i` and of `o`.
    vectors : int
        Vectors that lie side by side in a beat and are regrouped alike.

    Members
    -------
    i : In(stream of unsigned(vectors * in_lanes * width))
    o : Out(stream of unsigned(vectors * out_lanes * width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, width: int, in_lanes: int, out_lanes: int, vectors: int = 1):
        self.width = width
        self.in_lanes = in_lanes
        self.out_lanes = out_lanes
        self.vectors = vectors
        for name, value in (("width", width), ("in_lanes", in_lanes), ("out_lanes", out_lanes), ("vectors", vectors)):
            if value < 1:
                raise ValueError(f"{name}={value} must be at least 1")
        super().__init__(
            {
                "i": In(flat_stream(vectors * in_lanes * width)),
                "o": Out(flat_stream(vectors * out_lanes * width)),
            }
        )

    def __repr__(self) -> str:
        return (
            f"WidthConverter(width={self.width}, in_lanes={self.in_lanes}, out_lanes={self.out_lanes}, "
            f"vectors={self.vectors})"
        )

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `width_converter_flow`."""
        return width_converter_flow(i, o, in_lanes=self.in_lanes, out_lanes=self.out_lanes)

    def elaborate(self, platform) -> Module:
        m = Module()
        middle = math.gcd(self.in_lanes, self.out_lanes)
        source = wiring.flipped(self.i)
        if self.in_lanes > middle:
            m.submodules.narrow = narrow = _Narrow(middle * self.width, self.in_lanes // middle, self.vectors)
            wiring.connect(m, source, narrow.i)
            source = narrow.o
        if self.out_lanes > middle:
            m.submodules.widen = widen = _Widen(middle * self.width, self.out_lanes // middle, self.vectors)
            wiring.connect(m, source, widen.i)
            source = widen.o
        wiring.connect(m, source, wiring.flipped(self.o))
        return m


class _Narrow(wiring.Component):
    """Gives a beat out in `parts` beats of `bits` bits a vector, lowest bits first."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, bits: int, parts: int, vectors: int):
        self.bits = bits
        self.parts = parts
        self.vectors = vectors
        super().__init__({"i": In(flat_stream(vectors * parts * bits)), "o": Out(flat_stream(vectors * bits))})

    def elaborate(self, platform) -> Module:
        m = Module()
        part = Signal(range(self.parts))
        last, advance, load = Signal(), Signal(), Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),  # the enable of all registers, ...
            load.eq(~self.o.valid | last),  # ... whose choice does not wait for `o.ready`
            self.i.ready.eq(advance & load),
        ]
        beat = [Signal(self.parts * self.bits, name=f"beat{vector}") for vector in range(self.vectors)]
        m.d.comb += self.o.payload.eq(Cat(shift[: self.bits] for shift in beat))
        with m.If(advance):
            m.d.sync += [
                part.eq(Mux(load, 0, part + 1)),
                last.eq(~load & (part == self.parts - 2)),
                self.o.valid.eq(~load | self.i.valid),
            ]
            for vector, shift in enumerate(beat):
                loaded = self.i.payload.word_select(vector, len(shift))
                m.d.sync += shift.eq(Mux(load, loaded, Cat(shift[self.bits :], shift[-self.bits :])))
        return m


class _Widen(wiring.Component):
    """Collects `parts` beats of `bits` bits a vector into one, lowest bits first."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, bits: int, parts: int, vectors: int):
        self.bits = bits
        self.parts = parts
        self.vectors = vectors
        super().__init__({"i": In(flat_stream(vectors * bits)), "o": Out(flat_stream(vectors * parts * bits))})

    def elaborate(self, platform) -> Module:
        m = Module()
        part = Signal(range(self.parts))
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += part.eq(part + 1)
            with m.If(part == self.parts - 1):
                m.d.sync += [part.eq(0), self.o.valid.eq(1)]
            for vector in range(self.vectors):
                beat = self.o.payload.word_select(vector, self.parts * self.bits)
                collected = Cat(beat, self.i.payload.word_select(vector, self.bits))
                m.d.sync += beat.eq(collected[self.bits :])  # pyright: ignore[reportAttributeAccessIssue]
        return m

"""Thresholds on a stream of integers."""

# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# (as amaranth's types say it: `with m.If` is a decorated generator; slices may be IO values,
# memory ports have no members)

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import flat_stream

__all__ = ["Threshold"]


class Threshold(wiring.Component):
    """y[c] = x[c] >= thresholds[c]. One cycle of latency, one beat a cycle.

    Parameters
    ----------
    thresholds : sequence of ints
        One a channel, channel 0 arriving first. Any int: one beyond the range of x gives a constant.
    lanes : int
        Channels of one vector in a beat; a divisor of their number.
    width : int
        Bits of x.
    signed : bool
        Whether x is two's complement.
    vectors : int
        Vectors in a beat.

    Members
    -------
    i : In(stream of unsigned(vectors * lanes * width))
    o : Out(stream of unsigned(vectors * lanes))
    """

    latency = 1

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, thresholds: Sequence[int], lanes: int, width: int, signed: bool, vectors: int = 1):
        channels = len(thresholds)
        for name, value in (("channels", channels), ("width", width), ("vectors", vectors)):
            if value < 1:
                raise ValueError(f"{name}={value} must be at least 1")
        if lanes < 1 or channels % lanes:
            legal = [divisor for divisor in range(1, channels + 1) if channels % divisor == 0]
            raise ValueError(f"lanes={lanes} must divide channels={channels}; legal values are {legal}")
        self.lanes = lanes
        self.width = width
        self.signed = signed
        self.vectors = vectors
        low = -(1 << (width - 1)) if signed else 0
        self.thresholds = tuple(min(max(int(t), low), low + (1 << width)) for t in thresholds)
        super().__init__({"i": In(flat_stream(vectors * lanes * width)), "o": Out(flat_stream(vectors * lanes))})

    def __repr__(self) -> str:
        return (
            f"Threshold(thresholds={self.thresholds}, lanes={self.lanes}, width={self.width}, signed={self.signed}, "
            f"vectors={self.vectors})"
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        folds = len(self.thresholds) // self.lanes
        # One bit more than x, because a threshold may lie just above its range.
        words = [
            Cat(Const(t, self.width + 1) for t in self.thresholds[fold * self.lanes : (fold + 1) * self.lanes])
            for fold in range(folds)
        ]
        fold = Signal(range(folds))
        bounds = Array(words)[fold]
        bits = []
        for element in range(self.vectors * self.lanes):
            x = self.i.payload.word_select(element, self.width)
            bound = bounds.word_select(element % self.lanes, self.width + 1)
            bits.append(x.as_signed() >= bound.as_signed() if self.signed else x >= bound)
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(Cat(bits))]
            with m.If(self.i.valid):
                m.d.sync += fold.eq(fold + 1)
                with m.If(fold == folds - 1):
                    m.d.sync += fold.eq(0)
        return m

"""Multipliers on a stream: a unit, and what it must give."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Value, signed, unsigned
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from bnnhw.hls.intervals import Span
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target
from tests.beats import to_words

__all__ = ["SHAPES", "Products", "products"]

Factors = tuple[Shape, Shape]

SHAPES: list[Factors] = [
    (signed(18), signed(18)),
    (unsigned(18), unsigned(18)),
    (signed(18), unsigned(18)),
    (unsigned(18), signed(7)),
    (unsigned(17), signed(12)),
    (unsigned(1), unsigned(1)),
    (signed(1), unsigned(9)),
]


class Products(Component):
    """The products of the pairs of factors in each beat, side by side, in a pipeline of one register, which stands
    still while a result waits."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shapes: Sequence[Factors], registers: int, target: Target):
        self.multipliers = [target.multiplier(a=a, b=b, registers=registers) for a, b in shapes]
        self.registers = registers
        bits = sum(a.width + b.width for a, b in shapes)
        super().__init__({"i": In(flat_stream(bits)), "o": Out(flat_stream(bits))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules += self.multipliers
        factors = Cat(*(Value.cast(port) for each in self.multipliers for port in (each.a, each.b)))
        results = Cat(*(each.p[: len(each.a) + len(each.b)] for each in self.multipliers))
        m.d.comb += [factors.eq(self.i.payload), self.i.ready.eq(~self.o.valid | self.o.ready)]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        if self.registers:
            m.d.comb += [self.o.payload.eq(results), *(each.enable.eq(self.i.ready) for each in self.multipliers)]
        else:
            with m.If(self.i.ready):
                m.d.sync += self.o.payload.eq(results)
        return m


def products(shapes: Sequence[Factors], *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of a stream's beats, random and extreme factors, and of its results."""
    rng = np.random.default_rng(seed)
    factors: list[np.ndarray] = []
    results: list[np.ndarray] = []
    for a, b in shapes:
        ends = np.array([(x, y) for x in span_of(a) for y in span_of(b)])
        x, y = (
            np.concatenate([ends[:, n], rng.integers(*span_of(shape), 200, endpoint=True)])
            for n, shape in enumerate((a, b))
        )
        factors += [bits_of(x, a.width), bits_of(y, b.width)]
        results.append(bits_of(x * y, a.width + b.width))
    inputs, outputs = (np.concatenate(each, axis=1) for each in (factors, results))
    return to_words(inputs[None], 1), to_words(outputs[None], 1)


def span_of(shape: Shape) -> Span:
    least = -(1 << shape.width - 1) if shape.signed else 0
    return least, least + (1 << shape.width) - 1


def bits_of(values: np.ndarray, width: int) -> np.ndarray:
    return values[:, None] >> np.arange(width) & 1

"""JoinedPipeline: an operator's program on beats of several streams.

Tests: tests/operators/test_streams.py
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import Component, In, Out

from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Target

from .pipeline import ProgramPipeline
from .wiring import Wiring

__all__ = ["JoinedPipeline"]


class JoinedPipeline(Component):
    """A ProgramPipeline whose beat is one of each of its streams, side by side.

    `i0.ready` depends on the pipeline's and the `valid` of all others; so do the others.

    Parameters
    ----------
    schedule, wiring, target, beats
        As of ProgramPipeline; of each stream the wiring has as many elements.
    widths : sequence of int
        Bits of an element of each stream.

    Members
    -------
    i0, i1, .. : In(stream of unsigned(elements * widths[k]))
    o : Out(stream of unsigned(results * bits of a result))
    """

    def __init__(self, *, schedule: Schedule, wiring: Wiring, target: Target, widths: Sequence[int], beats: int = 1):
        self.pipeline = ProgramPipeline(schedule=schedule, wiring=wiring, target=target, beats=beats)
        self.widths = tuple(widths)
        if wiring.elements % len(self.widths) or max(self.widths) > self.pipeline.input_bits:
            raise ValueError(
                f"widths={self.widths} must be of streams with as many of the {wiring.elements} elements each, of at "
                f"most {self.pipeline.input_bits} bits"
            )
        self.elements = wiring.elements // len(self.widths)
        inputs = {f"i{number}": In(flat_stream(self.elements * width)) for number, width in enumerate(self.widths)}
        super().__init__({**inputs, "o": Out(flat_stream(len(self.pipeline.o.payload)))})

    def __repr__(self) -> str:
        return f"JoinedPipeline({len(self.widths)} streams, {self.pipeline!r})"

    def flow(self, *, o: Channel, **inputs: Channel) -> Flow:
        """See `program_flow`."""
        return self.pipeline.joined_flow(list(inputs.values()), o)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.pipeline = inner = self.pipeline
        inputs = [getattr(self, f"i{number}") for number in range(len(self.widths))]
        elements: list[Value] = []
        for each, width in zip(inputs, self.widths, strict=True):
            others = [other.valid for other in inputs if other is not each]
            m.d.comb += each.ready.eq(inner.i.ready & Cat(others).all())
            words = (each.payload.word_select(number, width) for number in range(self.elements))
            elements += [Cat(word, *(0 for _ in range(inner.input_bits - width))) for word in words]
        m.d.comb += [
            inner.i.valid.eq(Cat(each.valid for each in inputs).all()),
            inner.i.payload.eq(Cat(elements)),
            self.o.valid.eq(inner.o.valid),
            self.o.payload.eq(inner.o.payload),
            inner.o.ready.eq(self.o.ready),
        ]
        return m

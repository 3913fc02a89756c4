"""Sums of two streams.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.offsets import carried_as
from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.join.add import Add, AddShape
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .join import Met, SideBySide, meeting_of


@dataclass(frozen=True)
class Adding(SideBySide):
    """Code plus code, of which these are the greatest."""

    greatest: tuple[int, int]

    def stage(self, name: str, ports: Sequence[Port], target: Target) -> tuple[Stage, Port]:
        port = ports[0]
        shape = AddShape(elements=port.lanes * port.pixels * port.vectors, greatest=self.greatest, target=target)
        return Addition(name=name, shape=shape, beats=port.beats), replace(port, bits=shape.result_width)


@dataclass(frozen=True, kw_only=True)
class Addition(Stage):
    """An element of both streams to their sum, `beats` a frame."""

    ENGINE = "addition"

    shape: AddShape
    beats: int

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("i0", "i1")

    def input_width(self, port: str) -> int:
        return self.shape.elements * self.shape.widths[self.inputs.index(port)]

    def gives(self, port: str) -> Beat:
        return Beat(self.shape.elements, self.shape.result_width)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return self.shape.area

    def flow(self, i0: Channel, i1: Channel, o: Channel) -> Flow:
        return self.shape.flow(i0, i1, o)

    def build(self) -> wiring.Component:
        return Add(elements=self.shape.elements, greatest=self.shape.greatest, target=self.shape.target)


@meeting_of.register
def _(op: ops.Add, codes: Sequence[Codes], inputs: Sequence[TensorType], output: TensorType) -> Met:
    a, b = codes
    before = ((), ())
    if a.scale != b.scale or a.by_place or b.by_place:
        elements = [element_of(each) for each in inputs]
        step = gcd(*(element.step for element in elements))
        carried = [
            carried_as(IntType(element.lo, element.hi, step), each)
            for element, each in zip(elements, codes, strict=True)
        ]
        before = tuple(tuple(steps) for steps, _ in carried)
        a, b = (each for _, each in carried)
    sums = Codes(a.offsets + b.offsets, a.scale, a.greatest + b.greatest)
    return Met(before, Adding((a.greatest, b.greatest)), sums)

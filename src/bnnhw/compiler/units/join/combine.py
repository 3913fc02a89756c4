"""Operators of several streams.

Tests: tests/operators/test_streams.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.computing import programmed
from bnnhw.compiler.units.operator.patch import Coded, Element, Patch, PatchProgram
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hls.traced import Traced
from bnnhw.hw.program.joined import JoinedPipeline
from bnnhw.hw.targets import Target

from .join import Met, SideBySide, meeting_of


@dataclass(frozen=True, eq=False)
class Combining(SideBySide):
    """z = f(x, y, ..), z codes of an element."""

    traced: Traced
    coded: tuple[Coded, ...]
    z: Element
    clock_hz: float = 125e6

    def at_clock(self, clock_hz: float) -> "Combining":
        return replace(self, clock_hz=clock_hz)

    def stage(self, name: str, ports: Sequence[Port], target: Target) -> tuple[Stage, Port]:
        port = ports[0]
        patch = Patch(len(ports), 1, 1, port.pixels * port.vectors, port.lanes, port.channels // port.lanes)
        work = PatchProgram(self.traced, patch, self.coded, self.z, port.beats // port.height)
        widths = tuple(each.bits for each in ports)
        return programmed(name, work, port, self.clock_hz, target, Combined, widths=widths)


@dataclass(frozen=True, kw_only=True)
class Combined(Programmed):
    """A program on a beat of each of several streams, whose elements have `widths` bits."""

    widths: tuple[int, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(f"i{number}" for number in range(len(self.widths)))

    def input_width(self, port: str) -> int:
        return self.wiring.elements // len(self.widths) * self.widths[self.inputs.index(port)]

    def build(self) -> wiring.Component:
        return JoinedPipeline(
            schedule=self.schedule, wiring=self.wiring, target=self.target, widths=self.widths, beats=self.beats
        )


@meeting_of.register
def _(op: ops.Combine, codes: Sequence[Codes], inputs: Sequence[TensorType], output: TensorType) -> Met:
    elements, result = map(element_of, inputs), element_of(output)
    coded = tuple(Coded(each, (element.lo, element.hi)) for element, each in zip(elements, codes, strict=True))
    before = ((),) * len(coded)
    return Met(before, Combining(op.traced, coded, result), Codes.of(result, output.shape[-1]))

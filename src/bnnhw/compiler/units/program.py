"""Operators that are written in Python: their programs, scheduled for a clock.

Tests: tests/test_pointwise_operators.py
"""

from dataclasses import dataclass, field, replace

from amaranth.lib.wiring import Component

from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import RangedProgram, with_codes
from bnnhw.hls.schedule import Schedule, check_sizes, schedule
from bnnhw.hw.program.area import program_area
from bnnhw.hw.program.pipeline import ProgramPipeline, program_flow
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .codes import Codes, element_of
from .offsets import carried_as
from .port import Beat, Port
from .stage import Stage
from .step import Step, steps_of

CLOCK_HZ = 125e6
"""What programs are scheduled for, with room above the cores' own clocks."""


@dataclass(frozen=True, eq=False)
class Programming(Step):
    """From codes to codes by a program."""

    NAME = "operator"

    ranged: RangedProgram

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        timed = schedule(self.ranged, clock_hz=CLOCK_HZ, delays=target.fabric.delays)
        count = port.lanes * port.pixels * port.vectors
        stage = Programmed(
            name=f"{name} operator",
            schedule=timed,
            wiring=Wiring.of(count, 1, 1),
            beats=port.beats,
            target=target,
        )
        return [stage], replace(port, bits=width_of(self.ranged.result))


@dataclass(frozen=True, kw_only=True)
class Programmed(Stage):
    """A program on the elements of each beat, `beats` a frame; the other fields are those of ProgramPipeline."""

    ENGINE = "operator"

    schedule: Schedule = field(repr=False)
    wiring: Wiring = field(repr=False)
    beats: int
    period: int = 1
    ending: bool = False
    target: Target

    def gives(self, port: str) -> Beat:
        return Beat(self.wiring.results, width_of(self.schedule.ranged.result))

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return program_area(self.schedule, groups=self.wiring.groups, fabric=self.target.fabric)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return program_flow(i, o, schedule=self.schedule, period=self.period, ending=self.ending)

    def build(self) -> Component:
        return ProgramPipeline(
            schedule=self.schedule,
            wiring=self.wiring,
            target=self.target,
            beats=self.beats,
            period=self.period,
            ending=self.ending,
        )


@steps_of.register
def _(op: Operator, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    element = element_of(x)
    steps, codes = carried_as(element, codes)
    ranged = with_codes(op.traced.program, (element.lo, element.hi), element.step)
    check_sizes(ranged)
    return [*steps, Programming(ranged)], Codes.of(element_of(y), codes.channels)

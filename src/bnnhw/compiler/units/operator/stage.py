"""What all operators have in common: a unit that runs a program on each beat, and the step that says so.

Tests: tests/operators/test_operators_in_hardware.py
"""

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Self

from amaranth.lib.wiring import Component

from bnnhw.compiler.units.port import Beat
from bnnhw.compiler.units.stage import Stage
from bnnhw.compiler.units.step import Step
from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import RangedProgram
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.program.area import program_area
from bnnhw.hw.program.moving import program_flow, program_latency
from bnnhw.hw.program.pipeline import ProgramPipeline
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target


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
    def is_held(self) -> bool:
        """Whether it stands still while a result waits."""
        return self.schedule.is_held(groups=self.wiring.groups)

    @property
    def passes_ready(self) -> bool:
        return self.is_held

    @property
    def latency(self) -> int:
        """Cycles from a beat to its result."""
        return program_latency(self.schedule, groups=self.wiring.groups)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return self._cells

    @cached_property
    def _cells(self) -> Cells:
        return program_area(
            self.schedule,
            groups=self.wiring.groups,
            fabric=self.target.fabric,
            beats=self.beats,
            period=self.period,
            ending=self.ending,
        )

    def flow(self, *args: Channel, **ports: Channel) -> Flow:
        return program_flow(
            [ports[name] for name in self.inputs],
            ports["o"],
            schedule=self.schedule,
            groups=self.wiring.groups,
            fabric=self.target.fabric,
            period=self.period,
            ending=self.ending,
        )

    def build(self) -> Component:
        return ProgramPipeline(
            schedule=self.schedule,
            wiring=self.wiring,
            target=self.target,
            beats=self.beats,
            period=self.period,
            ending=self.ending,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class OperatorStep(Step):
    """The work of an operator: for a clock, and for the node of the graph that its units are called after."""

    NAME = "operator"

    clock_hz: float = 125e6
    node: str = ""

    def named(self, node: str) -> Self:
        return replace(self, node=node)

    def at_clock(self, clock_hz: float) -> Self:
        return replace(self, clock_hz=clock_hz)


@lru_cache(maxsize=1024)
def timed(ranged: RangedProgram, clock_hz: float, target: Target) -> Schedule:
    """A program's schedule, made once. OperatorError names the author's line where one takes longer than a cycle."""
    return schedule(ranged, clock_hz=clock_hz, delays=target.fabric.delays)

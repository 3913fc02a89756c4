"""What becomes of an operator in hardware: its ranges, its schedule, its cells.

Tests: tests/api/test_examples.py
Tests: tests/operators/test_chains.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.timing import core_timing
from bnnhw.compiler.frontends.operators import graph_of_chain, object_in
from bnnhw.compiler.ir.graph import infer_types
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.units.codes import element_of
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.hls.chain import Chain, chain
from bnnhw.hls.intervals import width_of
from bnnhw.hls.operator import Operator
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import Cells

from .builds.plan import PlanOptions

__all__ = ["OperatorReport", "OperatorUnit", "ScheduledStep", "operator"]


@dataclass(frozen=True, kw_only=True)
class ScheduledStep:
    """One instruction. stage: the cycle in which it is done, from 0. place: the author's line."""

    stage: int
    text: str
    bits: int
    least: int
    greatest: int
    place: str


@dataclass(frozen=True, kw_only=True)
class OperatorUnit:
    """A unit of the core. latency: cycles from a beat to its result. held: whether it stands still while a result
    waits; a program of many registers never does, and has a queue behind it. steps: of a program, by their stages."""

    name: str
    cells: Cells
    latency: int | None = None
    held: bool = True
    groups: int = 1
    register_bits: int = 0
    steps: tuple[ScheduledStep, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OperatorReport:
    """Values by name, (name, shape, least, greatest), from the image on; the core's units, and its exact cycles."""

    values: tuple[tuple[str, tuple[int, ...], int, int], ...]
    units: tuple[OperatorUnit, ...]
    clock_mhz: float
    interval: int
    latency: int

    @property
    def cells(self) -> Cells:
        """Of all units."""
        return sum((unit.cells for unit in self.units), Cells(luts=0, carries=0))

    @property
    def frames_per_second(self) -> float:
        return self.clock_mhz * 1e6 / self.interval


def operator(
    source: str | Operator | Chain,
    *,
    input: str | tuple[int, int] = "u8",
    size: Sequence[int] | None = None,
    clock_mhz: float = 125.0,
    pixels: int = 1,
    board: str | None = None,
) -> OperatorReport:
    """Ranges, stages and cells of an operator or a chain, before anything is synthesised.

    >>> import numpy as np
    >>> import bnnhw
    >>> from bnnhw import hls
    >>> @hls.pointwise
    ... def leaky_relu(x):
    ...     return np.where(x >= 0, x, x >> 3)
    >>> report = bnnhw.operator(leaky_relu, input="s8", size=(4, 4), clock_mhz=150)
    >>> report.values[-1]
    ('leaky_relu', (4, 4, 1), -16, 127)
    >>> report.interval
    16

    Parameters
    ----------
    source : operator, chain, or FILE.py:NAME
    input : "u8", "s12", .., or the least and greatest value
        Of an operator by itself; a chain knows its images.
    size : (height, width, channels) or (height, width)
    clock_mhz : float
        What it is scheduled for.
    pixels : int
        Side by side in a beat.
    board : str
        Whose primitives are counted; by default that of a build.

    Raises
    ------
    ValueError
        Where there is no such operator, or it has no hardware at this clock: one line that names the file's line.
    """
    found = object_in(source) if isinstance(source, str) else source
    if isinstance(found, Operator):
        found = chain(found, size=size or (480, 640, found.channels or 1), input=input)
    elif size is not None:
        found = replace(found, shape=chain(*found.operators, size=size).shape)
    graph, target = graph_of_chain(found), PlanOptions(board=board).target.device.target
    pipeline = build_pipeline(graph).at_clock(clock_mhz * 1e6)
    dataflow = draw_core(pipeline, FoldingPlan((), entry=Entry(found.shape[2], pixels)), target)
    timing, types = core_timing(dataflow), infer_types(graph)
    values = []
    for name, value in [("image", graph.inputs[0].name), *((node.name, node.output) for node in graph.nodes)]:
        element = element_of(types[value])
        values.append((name, types[value].shape, element.lo, element.hi))
    units = []
    for stage in dataflow.stages:
        unit = OperatorUnit(name=stage.name, cells=stage.resources)
        if isinstance(stage, Programmed):
            unit = replace(
                unit,
                latency=stage.latency,
                held=stage.is_held,
                groups=stage.wiring.groups,
                register_bits=stage.schedule.register_bits(groups=stage.wiring.groups),
                steps=steps_of(stage.schedule),
            )
        units.append(unit)
    return OperatorReport(
        values=tuple(values),
        units=tuple(units),
        clock_mhz=clock_mhz,
        interval=timing.initiation_interval,
        latency=timing.latency,
    )


def steps_of(schedule: Schedule) -> tuple[ScheduledStep, ...]:
    """The instructions of a schedule but for constants, by their stages."""
    ranged = schedule.ranged
    instructions = ranged.program.instructions
    steps = []
    for number, each in enumerate(instructions):
        if each.op == "const":
            continue
        arguments = [(arg, instructions[arg]) for arg in each.args]
        read = [str(one.attribute) if one.op == "const" else f"v{arg}" for arg, one in arguments]
        if each.op != "table" and each.attribute is not None:
            read.append(str(each.attribute))
        least, greatest = ranged.spans[number]
        steps.append(
            ScheduledStep(
                stage=schedule.stages[number],
                text=f"v{number} = {each.op} {', '.join(read)}",
                bits=width_of((least, greatest)),
                least=least,
                greatest=greatest,
                place=each.place,
            )
        )
    return tuple(sorted(steps, key=lambda step: step.stage))

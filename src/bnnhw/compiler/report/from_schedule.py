"""What a schedule alone says: the network, the units with their cycles and estimated cells, the rates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.dataflow.timing import run_core
from bnnhw.compiler.search.search import Design
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.compiler.units.port import Beat
from bnnhw.compiler.units.product.hardwired import Hardwired
from bnnhw.compiler.units.product.mac import Mac
from bnnhw.compiler.units.product.matrix import Matrix
from bnnhw.compiler.units.queue import Queue
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, End
from bnnhw.hw.targets import Cells, Device

from .data import (
    BuildPhase,
    BuildReport,
    Candidate,
    Chip,
    Clock,
    DesignResources,
    LadderRow,
    Link,
    Performance,
    Provenance,
    Stream,
    Unit,
)
from .inspect import summarize_network


def from_schedule(
    schedule: Schedule,
    meta: Mapping[str, Any],
    *,
    provenance: Provenance,
    clock: Clock | None = None,
    link: Link | None = None,
    other_links: tuple[Link, ...] = (),
    synthesised: Cells | None = None,
    routed: Cells | None = None,
    ladder: tuple[LadderRow, ...] = (),
    stages: tuple[BuildPhase, ...] = (),
    candidates: Sequence[Design] = (),
) -> BuildReport:
    """The report of a build of `schedule`; what is left out was not run.

    meta: the model file's. clock: the schedule's own where no PLL makes another. candidates: from `find_candidates`.
    """
    graph = replace(
        schedule.core_graph,
        inputs=schedule.host_graph.inputs,
        nodes=schedule.host_graph.nodes + schedule.core_graph.nodes,
    )
    units = units_of(schedule)
    return BuildReport(
        model=str(meta.get("network") or "network"),
        dataset=str(meta["dataset"]) if meta.get("dataset") else None,
        network=summarize_network(graph),
        units=units,
        performance=Performance(
            clock=clock or Clock(asked_hz=schedule.clock_hz, actual_hz=schedule.clock_hz),
            interval_cycles=schedule.timing.initiation_interval,
            latency_cycles=schedule.timing.latency,
            vectors=schedule.vectors,
            link=link,
            other_links=other_links,
        ),
        device=chip_of(schedule.device),
        resources=DesignResources(estimated=cells_of(schedule.resources), synthesised=synthesised, routed=routed),
        provenance=provenance,
        metrics=numbers_of(meta.get("metrics", {})),
        ladder=ladder,
        stages=stages,
        candidates=tuple(
            Candidate(
                frames_per_second=(clock.actual_hz if clock else schedule.clock_hz) / design.cycles_per_frame,
                vectors=design.plan.vectors,
                estimated=cells_of(design.resources),
            )
            for design in candidates
        ),
        streams=streams_of(schedule),
    )


def units_of(schedule: Schedule) -> tuple[Unit, ...]:
    """The units in stream order."""
    return tuple(unit_of(stage, interval=schedule.timing.initiation_interval) for stage in schedule.stages)


def unit_of(stage: Stage, *, interval: int) -> Unit:
    unit = Unit(name=stage.name, engine=stage.ENGINE, cycles=stage.interval, estimated=cells_of(stage.resources))
    match stage:
        case Queue(depth=depth, limit=limit):
            return replace(unit, depth=limit or depth)
        case Programmed(schedule=program):
            return replace(unit, latency=program.latency)
        case Matrix(shape=shape):
            sizes, planes, store = shape, shape.planes, shape.store
            pe, simd = shape.pe, shape.simd
        case Mac(shape=shape):
            sizes, planes, store = shape, 1, shape.store
            pe, simd = shape.pe, shape.simd
        case Hardwired(plan=plan, unshared=unshared):
            unit = replace(unit, comb_unshared=unshared.resources.logic)
            sizes, planes, store = plan, plan.planes, "wires"
            pe, simd = plan.rows, plan.cols
        case _:
            return unit
    return replace(
        unit,
        pe=pe,
        simd=simd,
        planes=planes,
        vectors=sizes.vectors,
        weight_store=store,
        pe_utilisation=stage.interval / interval,
    )


def streams_of(schedule: Schedule) -> tuple[Stream, ...]:
    """The streams in the order of the dataflow's connections; how many beats go over each is counted in the flows."""
    dataflow = schedule.dataflow
    _, channels = run_core(dataflow)
    entry = next(connection for connection in dataflow.connections if connection[0][0] == OUTSIDE)
    frames = len(channels[entry].takes) // dataflow.input_beats
    streams = []
    for connection in dataflow.connections:
        (source, output), (target, into) = connection
        beat = beat_of(connection[0], schedule)
        streams.append(
            Stream(
                source=None if source == OUTSIDE else source,
                output=output,
                target=None if target == OUTSIDE else target,
                input=into,
                elements=beat.elements,
                bits=beat.bits,
                beats=len(channels[connection].takes) // frames,
            )
        )
    return tuple(streams)


def beat_of(end: End, schedule: Schedule) -> Beat:
    """What leaves an output port, or comes from the core's input, at once; a queue gives what it takes."""
    number, port = end
    if number == OUTSIDE:
        return Beat(schedule.vectors * schedule.input_lanes, schedule.input_width)
    stage = schedule.stages[number]
    if isinstance(stage, Queue):
        ((before, _),) = schedule.dataflow.inputs(number)
        return beat_of(before, schedule)
    return stage.gives(port)


def chip_of(device: Device) -> Chip:
    """The device as plain data."""
    return Chip(name=device.name, luts=device.luts, ebr=device.ebr, multipliers=device.multipliers)


def cells_of(estimate: Cells) -> Cells:
    """The cost model's cells; those of units that do not tell LUTs and carry cells apart are among them."""
    return replace(estimate, luts=None, carries=None)


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are numbers, by name."""
    return {name: float(value) for name, value in metrics.items() if type(value) in (int, float)}

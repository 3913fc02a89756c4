"""The compiler's part of the report, against the schedule that it describes."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Fragment

from bnnhw.compiler import Schedule, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.report import BuildPhase, BuildReport, Clock, LadderRow, Link, Provenance, render
from bnnhw.compiler.report.from_schedule import from_schedule
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.hardwired.plan import plan_hardwired
from bnnhw.hw.targets import PORTABLE, Cells, get_device
from tests.compiler.make_model import make_model
from tests.core_rtl import folded
from tests.graphs.sketches import GRAPHS, Sketch

META = {
    "network": "small",
    "dataset": "random",
    "metrics": {"test_accuracy": 0.5, "images": 7, "ok": True, "names": []},
}
PROVENANCE = Provenance(bnnhw="0.1.0", model_sha256="0" * 64, board="ulx3s-85f", seed=1)


def make_schedule(
    folder: Path, foldings: list[tuple[int, int]], *, vectors: int = 1, output: str = "affine"
) -> Schedule:
    """12 inputs, layers of 8, 6 and 5 rows; `foldings` are their (PE, SIMD)."""
    model = make_model(seed=1, shape=(4, 3, 1), hidden=(8, 6), classes=5, output=output)
    graph = integerize(load(model.save(folder / "model.pt")))
    names = [layer.name for layer in build_pipeline(split_host(graph)[1]).layers]
    layers = [(name, Folding(pe, simd)) for name, (pe, simd) in zip(names, foldings, strict=True)]
    return apply_plan(graph, FoldingPlan(tuple(layers), vectors), device=get_device("LFE5U-25F"), clock_hz=50e6)


@pytest.mark.parametrize("vectors", [1, 3])
@pytest.mark.parametrize("foldings", [[(1, 1), (1, 1), (1, 1)], [(2, 4), (3, 2), (1, 2)], [(8, 12), (6, 8), (5, 6)]])
def test_cycles_and_cells_are_those_of_the_schedule(tmp_path: Path, foldings: list[tuple[int, int]], vectors: int):
    schedule = make_schedule(tmp_path, foldings, vectors=vectors)
    report = from_schedule(schedule, META, provenance=PROVENANCE)
    performance = report.performance
    assert performance.core_frames_per_second == pytest.approx(schedule.frames_per_second)
    assert performance.latency_cycles == schedule.timing.latency
    assert {unit.cycles for unit in report.bottlenecks} == {schedule.timing.initiation_interval}
    assert (report.network.macs, performance.vectors, performance.bound_by) == (12 * 8 + 8 * 6 + 6 * 5, vectors, "core")
    matrices = [unit for unit in report.units if unit.engine == "matrix unit"]
    assert [(unit.pe, unit.simd) for unit in matrices] == foldings
    for unit, (pe, simd), (rows, cols) in zip(matrices, foldings, [(8, 12), (6, 8), (5, 6)], strict=True):
        assert unit.pe_utilisation == rows // pe * (cols // simd) / performance.interval_cycles
    estimated = report.resources.estimated
    assert estimated is not None
    link = schedule.link_resources
    for kind, rest in (("logic", link.logic), ("ffs", link.ffs), ("ebr", link.ebr)):
        assert getattr(estimated, kind) == rest + sum(getattr(unit.estimated, kind) for unit in report.units)


def test_hardwired_units_say_what_they_save_by_filter_reuse(tmp_path: Path):
    folded = make_schedule(tmp_path, [(8, 12), (6, 8), (5, 6)])
    plan = FoldingPlan(tuple((name, replace(folding, engine="hardwired")) for name, folding in folded.plan.layers[:2]))
    plan = replace(plan, layers=(*plan.layers, folded.plan.layers[2]))
    schedule = replace(folded, plan=plan)
    report = from_schedule(schedule, META, provenance=PROVENANCE)
    first, _, last = (unit for unit in report.units if unit.pe is not None)
    layer = schedule.pipeline.layers[0]
    unshared = hardwired_area(plan_hardwired(layer.weights, schedule.device.target.fabric, shared=False))
    assert first.comb_unshared == unshared.logic
    assert first.estimated is not None
    assert first.comb_unshared is not None
    assert first.estimated.logic < first.comb_unshared
    assert last.comb_unshared is None
    assert BuildReport.from_json(report.to_json()) == report
    assert f"<small>{first.comb_unshared} unshared</small>" in render(report)
    assert "unshared" not in render(from_schedule(folded, META, provenance=PROVENANCE))


@pytest.mark.parametrize(("name", "most"), [("dense_net", 1), ("residual", 2), ("three_ways", 4)])
def test_streams_are_those_of_the_core(name: str, most: int):
    sketch = Sketch()
    schedule = folded(sketch.graph(GRAPHS[name](sketch)), most=most, hardwired=False)
    report = from_schedule(schedule, META, provenance=PROVENANCE)
    core = schedule.core(target=PORTABLE)
    Fragment.get(core, None)
    assert len(report.streams) == len(core.connections)
    for stream, ((source, output), (target, into)) in zip(report.streams, core.connections, strict=True):
        assert (stream.source, stream.target) == (source if source >= 0 else None, target if target >= 0 else None)
        assert (stream.output, stream.input) == (output, into)
        port = getattr(core if source < 0 else core.units[source], output)
        assert stream.elements * stream.bits == len(port.payload)
    beats = [stream.beats for stream in report.streams]
    assert (beats[0], beats[-1]) == (schedule.input_beats, schedule.output_beats)
    joins = [(number, stage) for number, stage in enumerate(schedule.stages) if len(stage.inputs) > 1]
    for number, stage in joins:
        met = [stream for stream in report.streams if stream.target == number]
        assert [stream.input for stream in met] == list(stage.inputs)
        assert {stream.beats for stream in met} == {stage.interval}
    queues = [stage for stage in schedule.stages if isinstance(stage, Queue)]
    assert [unit.depth for unit in report.units if unit.engine == "queue"] == [queue.limit for queue in queues]
    assert joins
    assert bool(queues) == (name != "three_ways")
    assert BuildReport.from_json(report.to_json()) == report


@pytest.mark.parametrize("output", ["affine", "batch_norm"])
def test_units_are_the_cores_in_stream_order(tmp_path: Path, output: str):
    schedule = make_schedule(tmp_path, [(2, 4), (3, 2), (1, 2)], output=output)
    report = from_schedule(schedule, META, provenance=PROVENANCE)
    core = schedule.core(target=PORTABLE)
    Fragment.get(core, None)  # a component that is never elaborated makes Amaranth warn
    components = [type(unit).__name__ for unit in core.units]
    words = [re.sub("(?!^)([A-Z])", r" \1", name).lower() for name in components]
    assert " and ".join(unit.engine for unit in report.units) == " and ".join(words)
    assert ("score table" in words) == (output == "batch_norm")


def test_what_the_build_found_is_kept(tmp_path: Path):
    schedule = make_schedule(tmp_path, [(1, 1), (1, 1), (1, 1)])
    synthesised, routed = Cells(logic=10, luts=4, carries=3, ffs=5), Cells(logic=11, ffs=5)
    clock, link = Clock(asked_hz=50e6, actual_hz=49e6, fmax_hz=60e6), Link(name="UART", frames_per_second=1.0)
    others = (Link(name="USB", frames_per_second=2.0),)
    ladder, stages = (LadderRow(left="a", right="b"),), (BuildPhase(name="rtl", seconds=1.0),)
    report = from_schedule(
        schedule,
        META,
        provenance=PROVENANCE,
        clock=clock,
        link=link,
        other_links=others,
        synthesised=synthesised,
        routed=routed,
        ladder=ladder,
        stages=stages,
    )
    assert (report.performance.clock, report.performance.link, report.performance.other_links) == (clock, link, others)
    assert (report.resources.synthesised, report.resources.routed) == (synthesised, routed)
    assert (report.ladder, report.stages, report.device.name) == (ladder, stages, "LFE5U-25F")
    assert (report.model, report.dataset, report.metrics) == ("small", "random", {"test_accuracy": 0.5, "images": 7.0})
    assert BuildReport.from_json(report.to_json()) == report
    assert "small on ulx3s-85f" in render(report)


def test_a_model_that_says_nothing_about_itself(tmp_path: Path):
    schedule = make_schedule(tmp_path, [(1, 1), (1, 1), (1, 1)])
    report = from_schedule(schedule, {}, provenance=PROVENANCE)
    assert (report.model, report.dataset, report.metrics) == ("network", None, {})
    assert report.performance.clock == Clock(asked_hz=50e6, actual_hz=50e6)

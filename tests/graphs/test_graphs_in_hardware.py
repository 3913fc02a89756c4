"""Graphs with forks and joins from integers to the RTL: several foldings, random stalls, exact cycles."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, Schedule, ScheduleError
from bnnhw.compiler.dataflow.dataflow import Dataflow
from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.join_queues import insert_queues
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.dataflow.timing import DeadlockError, core_timing
from bnnhw.compiler.ir.graph import trace
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.compiler.units.join.add import Addition
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.core import Core
from bnnhw.hw.stream.connections import Connection
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.errors import DeadlockError as StandstillError
from bnnhw.sim.ladder.rungs import frames_of, trace_rtl
from tests.core_rtl import DEVICE, check_rtl, folded

from .sketches import GRAPHS, Sketch, random_graph

FRAMES = 10


FOLDINGS = ((1, False, (0.0, 0.0)), (2, False, (0.3, 0.3)), (4, False, (0.0, 0.0)), (1, True, (0.3, 0.0)))
"""PE, SIMD and pixels at most, whether hardwired, and the probabilities of stalls before and behind the core."""


def images(graph: Graph, count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, (count, *graph.inputs[0].type.shape))


@pytest.mark.parametrize("name", GRAPHS)
def test_foldings(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    for most, hardwired, stalls in FOLDINGS:
        check_rtl(folded(graph, most=most, hardwired=hardwired), graph, images(graph, FRAMES), stalls=stalls)


@pytest.mark.parametrize("name", ["dense_net", "residual", "three_ways"])
def test_every_value_is_equal(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch), label=False)
    inputs = images(graph, 4)
    expected = trace(graph, {"x": inputs})
    found = trace_rtl(folded(graph, most=2, hardwired=False), inputs)
    assert len(found) >= 3
    for value, values in found.items():
        np.testing.assert_array_equal(values, expected[value], err_msg=value)


@pytest.mark.parametrize("name", ["dense_net", "dense_branches", "sum_of_sums"])
def test_searched_foldings(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    chosen = schedule(graph, DEVICE, target_fps=500_000)
    assert chosen.frames_per_second >= 500_000
    check_rtl(chosen, graph, images(graph, FRAMES), stalls=(0.0, 0.0))


def test_sums_of_several_pixels_have_the_lanes_of_the_narrowest():
    sketch = Sketch()
    graph = sketch.graph(GRAPHS["residual"](sketch))
    first, second, last = lower_network(graph).pipeline.layers
    foldings = (first, Folding(1, 1, pixels=4)), (second, Folding(2, 1, pixels=4)), (last, Folding(1, 1))
    plan = FoldingPlan(tuple((layer.name, folding) for layer, folding in foldings))
    chosen = apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)
    (adder,) = (stage for stage in chosen.dataflow.stages if isinstance(stage, Addition))
    assert adder.shape.elements == 4
    check_rtl(chosen, graph, images(graph, FRAMES), stalls=(0.0, 0.0))


@pytest.mark.parametrize("options", [{}, {"target_fps": 1000}, {"fill": 0.1}])
def test_vectors_have_no_convolutions(options: dict):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS["dense_net"](sketch))
    with pytest.raises(ScheduleError, match=r"^vectors=2 must be 1 where there are convolutions; give their foldings"):
        schedule(graph, DEVICE, vectors=2, **options)


def test_several_vectors():
    sketch = Sketch()
    graph = sketch.graph(GRAPHS["dense_branches"](sketch))
    check_rtl(schedule(graph, DEVICE, vectors=2), graph, images(graph, FRAMES), stalls=(0.0, 0.3))


def limits_of(dataflow: Dataflow) -> dict[Connection, int]:
    """The queues before joins, by the ways that they stand in where there are none."""
    plain = [stage for stage in dataflow.stages if not isinstance(stage, Queue)]
    ways = {}
    for number, stage in enumerate(dataflow.stages):
        if isinstance(stage, Queue) and stage.limit is not None:
            (source, _), (_, target) = dataflow.ways(number)
            assert not isinstance(dataflow.stages[source[0]], Queue)
            before, behind = (plain.index(dataflow.stages[end[0]]) for end in (source, target))
            ways[((before, source[1]), (behind, target[1]))] = stage.limit
    return ways


@pytest.mark.parametrize("name", ["dense_net", "residual", "two_thresholds"])
def test_one_beat_less_is_slower_or_stuck(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    for most, hardwired, _ in FOLDINGS:
        chosen = folded(graph, most=most, hardwired=hardwired)
        plain = draw_core(chosen.pipeline, chosen.foldings, chosen.vectors, DEVICE.target)
        limits = limits_of(chosen.dataflow)
        assert limits
        assert insert_queues(plain, limits, DEVICE.target) == chosen.dataflow
        for way, limit in limits.items():
            less = {other: beats for other, beats in limits.items() if other != way}
            if limit > 1:
                less[way] = limit - 1
            shorter = insert_queues(plain, less, DEVICE.target)
            try:
                interval = core_timing(shorter).initiation_interval
            except DeadlockError:
                interval = None
            assert interval is None or interval > chosen.timing.initiation_interval
            if way == next(iter(limits)):
                assert measured_interval(chosen, shorter) == interval


def measured_interval(chosen: Schedule, dataflow: Dataflow, *, standstill: bool = False) -> int | None:
    """Cycles from frame to frame of the RTL of a dataflow; None where it stands still."""
    core = Core(
        units=[stage.build() for stage in dataflow.stages],
        connections=dataflow.connections,
        input_lanes=chosen.input_lanes,
        input_width=chosen.input_width,
        output_lanes=chosen.output_lanes,
        output_width=chosen.output_width,
        names=[stage.name for stage in dataflow.stages],
    )
    frames = frames_of(chosen, images(chosen.core_graph, FRAMES))
    try:
        result = BatchSimulator(core).run(frames, output_beats=dataflow.output_beats, lanes=1, patience=20_000)
    except StandstillError:
        if standstill:
            raise
        return None
    ends = result.output_cycles[:, -1]
    return int(ends[-1] - ends[-2])


def test_a_standstill_names_the_join():
    sketch = Sketch()
    chosen = folded(sketch.graph(GRAPHS["residual"](sketch)), most=1, hardwired=False)
    stuck = draw_core(chosen.pipeline, chosen.foldings, chosen.vectors, DEVICE.target)
    with pytest.raises(DeadlockError, match="stands still after 0 beats of its output: a queue where paths meet"):
        core_timing(stuck)
    with pytest.raises(StandstillError, match=r"n3"):
        measured_interval(chosen, stuck, standstill=True)


def climb(seed: int) -> None:
    graph = random_graph(seed)
    most, hardwired, stalls = FOLDINGS[seed % len(FOLDINGS)]
    check_rtl(folded(graph, most=most, hardwired=hardwired), graph, images(graph, FRAMES), stalls=stalls)


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs(seed: int):
    climb(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 300))
def test_many_random_graphs(seed: int):
    climb(seed)

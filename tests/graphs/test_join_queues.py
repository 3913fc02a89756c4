"""Queues where paths meet again: one beat less is slower, or stands still, by the flow and in the RTL."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from bnnhw.compiler import Schedule
from bnnhw.compiler.dataflow import join_queues
from bnnhw.compiler.dataflow.dataflow import Dataflow
from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.join_queues import insert_queues, least_enough
from bnnhw.compiler.dataflow.timing import DeadlockError, Timing, core_timing
from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.core import Core
from bnnhw.hw.stream.connections import Connection
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.errors import DeadlockError as StandstillError
from bnnhw.sim.ladder.rungs import frames_of
from tests.core_rtl import DEVICE, folded

from .meeting_paths import PATHS, repeated
from .sketches import Sketch

FRAMES = 10


def chosen_for(draw: Callable[[Sketch], str], most: int) -> Schedule:
    sketch = Sketch()
    return folded(sketch.graph(draw(sketch)), most=most, hardwired=False)


def without_queues(chosen: Schedule) -> Dataflow:
    return draw_core(chosen.pipeline, chosen.plan, DEVICE.target)


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


def one_less(limits: Mapping[Connection, int], way: Connection) -> dict[Connection, int]:
    """These queues with a beat less in one way, none where it had one."""
    return {other: beats - (other == way) for other, beats in limits.items() if beats > (other == way)}


def predicted_interval(dataflow: Dataflow) -> int | None:
    """Cycles from frame to frame by the flow; None where it stands still."""
    try:
        return core_timing(dataflow).initiation_interval
    except DeadlockError:
        return None


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
    images = np.random.default_rng(1).integers(0, 4, (FRAMES, *chosen.core_graph.inputs[0].type.shape))
    try:
        result = BatchSimulator(core).run(
            frames_of(chosen, images), output_beats=dataflow.output_beats, lanes=1, patience=20_000
        )
    except StandstillError:
        if standstill:
            raise
        return None
    ends = result.output_cycles[:, -1]
    return int(ends[-1] - ends[-2])


def check_shortest(chosen: Schedule, *, rtl: bool = False) -> int:
    """One beat less in any queue is slower or stuck, for the first queue in the RTL, too. The number of queues."""
    plain, limits = without_queues(chosen), limits_of(chosen.dataflow)
    assert insert_queues(plain, limits, DEVICE.target) == chosen.dataflow
    for number, way in enumerate(limits):
        shorter = insert_queues(plain, one_less(limits, way), DEVICE.target)
        predicted = predicted_interval(shorter)
        assert predicted is None or predicted > chosen.timing.initiation_interval
        if rtl and not number:
            assert measured_interval(chosen, shorter) == predicted
    return len(limits)


@pytest.mark.parametrize("name", PATHS)
def test_one_beat_less_is_slower_or_stuck(name: str):
    queues = [check_shortest(chosen_for(PATHS[name], most), rtl=most == 2) for most in (2, 4)]
    assert all(queues)


@pytest.mark.parametrize("name", PATHS)
def test_endless_queues_are_no_faster(name: str):
    chosen = chosen_for(PATHS[name], 4)
    plain = without_queues(chosen)
    endless = insert_queues(plain, dict.fromkeys(plain.joins, 2**20), DEVICE.target)
    assert chosen.timing.initiation_interval == core_timing(endless).initiation_interval


def test_many_joins(monkeypatch):
    """Sections that alone do with less than in the whole are tried behind others, not in the whole."""
    tried = set()

    def counted(dataflow: Dataflow) -> Timing:
        tried.add(sum(len(stage.inputs) > 1 for stage in dataflow.stages))
        return core_timing(dataflow)

    monkeypatch.setattr(join_queues, "core_timing", counted)
    assert check_shortest(chosen_for(lambda sketch: repeated(sketch, 12), 4)) == 12
    assert tried == {1, 2, 3, 4, 5, 12}


@pytest.mark.parametrize("least", range(1, 12))
def test_the_least_from_any_guess(least: int):
    for guess in range(1, 12):
        tried = []

        def is_enough(beats: int, tried: list[int] = tried) -> bool:
            tried.append(beats)
            return beats >= least

        assert least_enough(guess, is_enough) == least
        assert len(tried) <= 2 + 2 * abs(guess - least).bit_length()


def test_a_standstill_names_the_join():
    chosen = chosen_for(PATHS["sum_with_its_signs"], 1)
    stuck = without_queues(chosen)
    with pytest.raises(DeadlockError, match="stands still after 0 beats of its output: a queue where paths meet"):
        core_timing(stuck)
    with pytest.raises(StandstillError, match=r"n3"):
        measured_interval(chosen, stuck, standstill=True)

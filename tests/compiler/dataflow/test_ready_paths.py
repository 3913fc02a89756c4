"""Paths of `ready`: what each unit says of its own is so in its hardware, and none goes through too many units."""

from random import Random

import pytest
from amaranth.sim import Simulator

from bnnhw.compiler.dataflow.dataflow import Dataflow
from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.ready_paths import MOST_UNITS
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.units.buffering import Buffering
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE
from tests.core_rtl import folded
from tests.test_residual_networks import NETWORKS, saved

CYCLES = 400


@pytest.fixture(scope="module", params=["A", "B"])
def residual(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    """A core in which paths part and meet, with units of most kinds."""
    graph = integerize(load(saved(NETWORKS[request.param], tmp_path_factory.mktemp("model"))), output="scores")
    return folded(graph, most=4, hardwired=request.param == "B")


def longest(dataflow: Dataflow) -> int:
    """The most units between two registers of `ready`."""
    lengths: dict[int, int] = {OUTSIDE: 0}
    for number, stage in reversed(list(enumerate(dataflow.stages))):
        readers = [reader for (source, _), (reader, _) in dataflow.connections if source == number]
        lengths[number] = 1 + max(lengths[reader] for reader in readers) if stage.passes_ready else 0
    return max(lengths.values())


def test_no_path_is_long(residual: Schedule):
    dataflow = draw_core(residual.pipeline, residual.plan, residual.device.target)
    assert any(isinstance(stage, Buffering) for stage in dataflow.stages)
    assert longest(dataflow) == MOST_UNITS
    assert longest(residual.dataflow) <= MOST_UNITS


def passes_in_hardware(stage: Stage) -> bool:
    """Whether a `ready` of the unit's inputs ever changes with those of its outputs within a cycle."""
    unit, random = stage.build(), Random(0)
    inputs, outputs = ([getattr(unit, port) for port in ports] for ports in (stage.inputs, stage.outputs))
    seen = set()

    async def bench(context):
        for _ in range(CYCLES):
            for i in inputs:
                context.set(i.valid, random.random() < 0.8)
                context.set(i.payload, random.getrandbits(len(i.payload)))
            answers = []
            for ready in (0, 1):
                for o in outputs:
                    context.set(o.ready, ready)
                answers.append([context.get(i.ready) for i in inputs])
            seen.add(answers[0] != answers[1])
            for o in outputs:
                context.set(o.ready, random.random() < 0.5)
            await context.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return True in seen


def test_units_say_whether_ready_passes(residual: Schedule):
    kinds = {(type(stage), stage.passes_ready): stage for stage in residual.stages}
    assert len(kinds) >= 8
    for stage in kinds.values():
        assert passes_in_hardware(stage) == stage.passes_ready, stage

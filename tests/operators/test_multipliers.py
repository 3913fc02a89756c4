"""Products with a factor for each channel, as fixed-point layers have them: in cores at several clocks, with as many
multipliers as lanes, equal to numpy; slowly, what they cost and how fast they are where they are routed."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.boards.toolchain.alone import route_alone
from bnnhw.compiler import Graph, Schedule
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.hw.targets import PORTABLE, get_device
from bnnhw.sim.batch.simulator import BatchSimulator
from tests.core_rtl import DEVICE, check_core

CHANNELS = 16
SPAN = (-2048, 2047)
RNG = np.random.default_rng(0)


@hls.pointwise(gain=RNG.integers(-(2**16), 2**16, CHANNELS), bias=RNG.integers(-(2**27), 2**27, CHANNELS))
def scaled(x, gain, bias):
    return np.clip((gain * x + bias) >> 16, -128, 127)


def core_of(lanes: int, clock_mhz: float) -> tuple[Graph, Schedule]:
    source = Value("x", TensorType((4, 4, CHANNELS), IntType(*SPAN)))
    graph = Graph((source,), (Node("scaled", Operator(scaled.traced(CHANNELS)), ("x",), "y"),), ("y",))
    plan = FoldingPlan((), entry=Entry(lanes))
    return graph, apply_plan(graph, plan, device=DEVICE, clock_hz=clock_mhz * 1e6)


def program_of(chosen: Schedule) -> Programmed:
    (stage,) = (stage for stage in chosen.stages if isinstance(stage, Programmed))
    return stage


@pytest.mark.parametrize(("lanes", "clock_mhz", "registers"), [(1, 50, 0), (1, 150, 1), (4, 100, 1), (4, 150, 1)])
def test_equals_numpy(lanes: int, clock_mhz: int, registers: int):
    graph, chosen = core_of(lanes, clock_mhz)
    instructions = program_of(chosen).schedule.ranged.program.instructions
    assert [each.attribute for each in instructions if each.op == "mul"] == [registers] * lanes
    assert program_of(chosen).resources.multipliers == lanes
    images = np.random.default_rng(1).integers(*SPAN, (40, 4, 4, CHANNELS), endpoint=True)
    images[0], images[1] = SPAN
    check_core(BatchSimulator(chosen.core()), chosen, graph, images, stalls=(0.3, 0.3))
    check_core(BatchSimulator(chosen.core(target=PORTABLE)), chosen, graph, images, stalls=(0.0, 0.0))


def test_a_clock_that_no_multiplier_has():
    with pytest.raises(ScheduleError, match=r"mul of 28 bits takes 5\.3 ns, and a cycle of 250 MHz has 4\.0 ns"):
        core_of(1, 200)


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize("clock_mhz", [100, 150])
@pytest.mark.parametrize("lanes", [1, 4])
def test_what_routing_makes(lanes: int, clock_mhz: int):
    """The core's clock, of two seeds, and the cells that were counted."""
    stage = program_of(core_of(lanes, clock_mhz)[1])
    counted = stage.resources
    for seed in (1, 2):
        routed = route_alone(stage.build(), get_device("LFE5U-25F"), seed, aim_hz=1.25e6 * clock_mhz)
        print(
            f"{lanes} lanes, {clock_mhz} MHz: latency {stage.schedule.latency}, {routed.fmax_hz / 1e6:.0f} MHz, "
            f"{routed.cells.logic} cells, {routed.cells.ffs} FF, {routed.cells.multipliers} multipliers; counted "
            f"{counted.logic}, {counted.ffs}"
        )
        assert routed.fmax_hz >= clock_mhz * 1e6
        assert routed.cells.multipliers == counted.multipliers
        assert routed.cells.logic == pytest.approx(counted.logic, rel=0.1, abs=8)
        assert routed.cells.ffs == pytest.approx(counted.ffs, rel=0.1, abs=8)

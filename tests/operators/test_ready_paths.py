"""Buffers in rows of operators: where they stand, that nothing else changes, and, slowly, the clock of a camera."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.boards.toolchain.alone import route_alone
from bnnhw.compiler.dataflow.schedule import Schedule, apply_plan
from bnnhw.compiler.frontends.operators import graph_of_chain
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.units.buffering import Buffering
from bnnhw.compiler.units.stage import core_resources
from bnnhw.hls.scheduling import schedule
from bnnhw.hw.targets import get_device
from tests.core_rtl import DEVICE, check_rtl
from tests.hls.operators import grey, white_balance
from tests.hw.program.gallery import gamma, median, sobel


@hls.pointwise
def halved(x):
    return (x + 3) >> 1


@hls.window(1, 3, padding=((0, 0), (1, 1)))
def smooth(w):
    return (w[0, 0] + 2 * w[0, 1] + w[0, 2]) >> 2


ROWS = {
    "one window": ([halved, smooth], []),
    "two windows": ([smooth, smooth], ["smooth.1 lines"]),
    "three windows": ([smooth, smooth, smooth], ["smooth.1 lines", "smooth.2 lines"]),
    "three programs": ([halved] * 3, []),
    "seven programs": ([halved] * 7, ["halved.3 operator", "halved.6 operator"]),
    "a window after two": ([halved, halved, smooth, halved], ["smooth lines"]),
    "a window after one": ([halved, smooth, halved], ["halved.2 operator"]),
}


def core_of(*operators: hls.Operator, size: tuple[int, ...], clock_hz: float = 1e8) -> tuple[Graph, Schedule]:
    graph = graph_of_chain(hls.chain(*operators, size=size, input="u8"))
    plan = FoldingPlan((), entry=Entry(size[2], 1))
    return graph, apply_plan(graph, plan, device=DEVICE, clock_hz=clock_hz)


@pytest.mark.parametrize("name", ROWS)
def test_they_stand_where_a_row_is_too_long(name: str):
    operators, buffered = ROWS[name]
    graph, chosen = core_of(*operators, size=(3, 5, 1))
    buffers = [each for each in chosen.stages if isinstance(each, Buffering)]
    assert [each.name.removesuffix(" buffer") for each in buffers] == buffered
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 1))
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_rtl(chosen, graph, images, stalls=stalls)


def test_a_pipeline_with_a_queue_ends_a_row(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule.Schedule, "is_held", lambda self, *, groups: False)
    graph, chosen = core_of(smooth, smooth, *[halved] * 6, size=(3, 5, 1))
    assert not any(isinstance(each, Buffering) for each in chosen.stages)
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 1))
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_rtl(chosen, graph, images, stalls=stalls)


@pytest.mark.slow
@pytest.mark.toolchain
def test_a_camera_keeps_its_clock():
    """White balance, grey, median, gamma and edges of 640x480 pixels at 150 MHz."""
    _, chosen = core_of(white_balance, grey, median, gamma, sobel, size=(480, 640, 3), clock_hz=150e6 / 1.25)
    assert chosen.timing.initiation_interval == 640 * 480 + 1
    counted = core_resources(chosen.stages)
    for seed in (1, 2, 3):
        routed = route_alone(chosen.core(), get_device("LFE5U-25F"), seed, aim_hz=150e6)
        print(f"{routed.fmax_hz / 1e6:.1f} MHz, {routed.cells.logic} cells, counted {counted.logic}")
        assert routed.fmax_hz >= 150e6
        assert routed.cells.logic <= 1300
        assert routed.cells.logic == pytest.approx(counted.logic, rel=0.1)

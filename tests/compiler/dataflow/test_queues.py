"""Queues between units: where the slowest unit would wait for its neighbours, there is a queue."""

import numpy as np
import pytest

from bnnhw.compiler.dataflow.dataflow import Dataflow
from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.queues import LEAST_DEPTH, before_windows, insert_queues, with_queues
from bnnhw.compiler.dataflow.timing import core_timing, least_interval
from bnnhw.compiler.ir.ops.windows import Pair
from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.output import Output
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.product.layer import MatrixLayer, Windows
from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.core import Core
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchSimulator

RNG = np.random.default_rng(0)


def convolution(name: str, before: str, image: tuple[int, int, int], rows: int, padding: int) -> MatrixLayer:
    """A 3x3 convolution of random weights."""
    height, width, channels = image
    sides: Pair = (padding, padding)
    windows = Windows(
        height=height,
        width=width,
        channels=channels,
        kernel=(3, 3),
        dilation=(1, 1),
        stride=(1, 1),
        padding=sides,
        padding_code=0,
        groups=1,
    )
    weights = RNG.choice(np.array([-1, 1], np.int8), (rows, 9 * channels))
    return layer_of(name, before, weights, thresholds=np.full(rows, weights.shape[1] // 2), windows=windows)


def layer_of(
    name: str, before: str, weights: np.ndarray, *, thresholds: np.ndarray | None, windows: Windows | None
) -> MatrixLayer:
    """Bits in; bits out where there are thresholds, else sums."""
    greatest = weights.shape[1] if thresholds is None else 1
    return MatrixLayer(
        name=name,
        weights=weights,
        planes=1,
        thresholds=thresholds,
        windows=windows,
        inputs=(before,),
        behind=(),
        output=name,
        output_shape=(*windows.output, len(weights)) if windows else (len(weights),),
        codes=Codes.of(IntType(0, greatest), len(weights)),
    )


def dataflow_of(foldings: list[Folding]) -> Dataflow:
    """Two convolutions, the second of which takes its rows in another rhythm than the first gives them: its border is
    two wide."""
    weights = RNG.choice(np.array([-1, 1], np.int8), (2, 12 * 14 * 3))
    dense = layer_of("dense", "second", weights, thresholds=None, windows=None)
    layers = convolution("first", "input", (10, 12, 2), 4, 1), convolution("second", "first", (10, 12, 4), 3, 2), dense
    label = Output("label", (), "dense", 1, None, True, np.zeros(2, np.int64), 1, 12 * 14 * 3)
    pipeline = Pipeline(BinaryType(), (10, 12, 2), layers, (label,))
    plan = FoldingPlan(tuple((layer.name, folding) for layer, folding in zip(layers, foldings, strict=True)))
    return draw_core(pipeline, plan, PORTABLE)


EVEN = [Folding(1, 2, "lut"), Folding(1, 4, "lut"), Folding(2, 3, "lut")]
UNEVEN = [Folding(4, 18, "lut"), Folding(1, 4, "lut"), Folding(2, 3, "lut")]


def measured(dataflow: Dataflow) -> tuple[int, int]:
    """(latency, cycles of a frame in the steady state) of the RTL."""
    first, *_, last = units = [stage.build() for stage in dataflow.stages]
    core = Core(
        units=units,
        connections=dataflow.connections,
        input_lanes=1,
        input_width=len(first.i.payload),  # pyright: ignore[reportAttributeAccessIssue]
        output_lanes=1,
        output_width=len(last.o.payload),  # pyright: ignore[reportAttributeAccessIssue]
    )
    frames = RNG.integers(0, 1 << core.input_width, (8, dataflow.input_beats, 1), dtype=np.uint64)
    result = BatchSimulator(core).run(frames, output_beats=1, lanes=1)
    ends = result.output_cycles[:, -1]
    return int(ends[0] - result.accepted_cycles[0, 0]), int(ends[-1] - ends[-2])


def queues_of(dataflow: Dataflow) -> list[tuple[str, int]]:
    return [(stage.name, stage.depth) for stage in dataflow.stages if isinstance(stage, Queue)]


def test_no_queue_where_the_units_keep_up():
    dataflow = dataflow_of(UNEVEN)
    assert with_queues(dataflow, core_timing(dataflow)) == (dataflow, core_timing(dataflow))


def test_a_queue_where_the_slowest_unit_would_wait():
    dataflow = dataflow_of(EVEN)
    aim = least_interval(dataflow.stages)
    assert core_timing(dataflow).initiation_interval > aim
    queued, timing = with_queues(dataflow, core_timing(dataflow))
    assert queues_of(queued) == [("second windows queue", LEAST_DEPTH)]
    assert timing == core_timing(queued)
    assert timing.initiation_interval == aim


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("foldings", [EVEN, UNEVEN])
def test_cycles_are_those_of_the_rtl(foldings, queued):
    dataflow = dataflow_of(foldings)
    if queued:
        dataflow = insert_queues(dataflow, dict.fromkeys(before_windows(dataflow), 16))
    timing = core_timing(dataflow)
    assert measured(dataflow) == (timing.latency, timing.initiation_interval)

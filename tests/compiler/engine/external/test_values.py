"""Values in programs with external memory, by RTL and the memory chip's model: residual networks of the catalogue and
random ones, cut into segments in several ways, all side by side, in the cycles foreseen."""

from collections.abc import Sequence

import numpy as np
import pytest

from bnnhw.compiler import Graph
from bnnhw.compiler.engine.external.scheduled import frame_counts, scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.units.codes import element_of
from bnnhw.hw.engine.engine_shape import EngineShape
from tests.engine_residuals import catalogued, random_residuals, wanted_of
from tests.engine_rtl import CHIP, run_side_by_side, small_shape

SIZES = {"values": 1024, "instructions": 4096, "transfers": 4096, "outbox_words": 256, "external": CHIP.shape}
SHAPE = small_shape(rows=16, sum_width=17, weight_words=256, map_words=256, parameters=128, **SIZES)
FOUR_ROWS = small_shape(
    rows=32, group_rows=4, group_pixels=4, sum_width=17, weight_words=128, map_words=512, parameters=64, **SIZES
)
"""All of a resnet8 fits into neither."""


def programs_of(graph: Graph, shape: EngineShape) -> list[EngineProgram]:
    """Those of each way to cut the network, and of the fewest and the most frames."""
    network = with_windows(engine_network(graph), shape)
    counts = frame_counts(network, shape)
    return [
        scheduled_program(network, shape, segments=segments, frames=frames)
        for segments in segmentations(network, shape)
        for frames in {counts[0], counts[-1]}
    ]


def compare(graphs: Sequence[Graph], programs: Sequence[EngineProgram]) -> None:
    rng = np.random.default_rng(len(graphs))
    inputs = []
    for graph, program in zip(graphs, programs, strict=True):
        kind = graph.inputs[0].type
        element = element_of(kind)
        inputs.append(element.lo + element.step * rng.integers(0, element.count, (program.frames, *kind.shape)))
    for graph, program, batch, found in zip(
        graphs, programs, inputs, run_side_by_side(programs, inputs, stalls=(0.1, 0.1)), strict=True
    ):
        wanted = wanted_of(program, graph, batch)
        np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("shape", [SHAPE, pytest.param(FOUR_ROWS, marks=pytest.mark.slow)], ids=["2 rows", "4 rows"])
def test_networks_of_the_catalogue(shape):
    graphs = [catalogued("resnet8"), catalogued("preresnet6")]
    programs = [programs_of(graph, shape) for graph in graphs]
    print([[(p.frames,p.cycles) for p in each] for each in programs])
    compare(*zip(*((graph, each) for graph, some in zip(graphs, programs, strict=True) for each in some), strict=True))

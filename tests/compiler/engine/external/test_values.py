"""Values in programs with external memory, in the engine and outside, by RTL and the memory chip's model: residual
networks of the catalogue and random ones, cut into segments in several ways, all side by side, in the cycles
foreseen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph
from bnnhw.compiler.engine.external.scheduled import frame_counts, outsides, scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.engine.strips import keeps_columns
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.units.codes import element_of
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from tests.engine_residuals import catalogued, random_residuals, wanted_of
from tests.engine_rtl import CHIP, CHIP_WORDS, run_side_by_side, small_shape

SIZES: dict[str, Any] = {
    "values": 1024,
    "instructions": 4096,
    "transfers": 4096,
    "outbox_words": 256,
    "external": CHIP.shape,
}
SHAPE = small_shape(rows=16, sum_width=17, weight_words=64, map_words=256, parameters=128, **SIZES)
FOUR_ROWS = small_shape(
    rows=32, group_rows=4, group_pixels=4, sum_width=17, weight_words=128, map_words=512, parameters=64, **SIZES
)
"""All of a resnet8 fits into neither; into the first one not even the rows of all layers."""
QUICK = (0, 1, 2, 9, 12, 19, 22, 39, 41)
"""Seeds of random networks; in number 39 a tile's weights fill their memory."""
QUICK_OF_VALUES = (1, 4, 9, 18)
"""The same where convolutions read values."""
QUICK_OF_WINDOWS = (0, 1, 3, 8, 10)
"""The same where the greatest values of windows are taken; in number 8 those of a part of the columns."""


def programs_of(graph: Graph, shape: EngineShape, *, every: bool) -> list[EngineProgram]:
    """Those of the shortest and the longest segments; or of each way to cut the network and two numbers of frames: all
    that the chip's model holds."""
    network = with_windows(engine_network(graph), shape)
    counts = frame_counts(network, shape)
    programs = [
        scheduled_program(network, shape, segments=segments, frames=frames, outside=outside)
        for outside in outsides(network)
        for cuts in (segmentations(network, shape, outside=outside),)
        for segments in (cuts if every else (cuts[0], cuts[-1]))
        for frames in (counts[:2] if every else counts[:1])
    ]
    return [program for program in programs if program.external_words * WORD <= CHIP_WORDS * CHIP.shape.width]


def random_program(seed: int, shape: EngineShape, **kind: bool) -> tuple[Graph, EngineProgram] | None:
    """A random network's, of values outside or not, segments and frames that depend on the seed; None where it does not
    fit."""
    graph = random_residuals(np.random.default_rng(seed), **kind)
    network = with_windows(engine_network(graph), shape)
    outside = outsides(network)[seed // 2 % len(outsides(network))]
    counts, cuts = frame_counts(network, shape), segmentations(network, shape, outside=outside)
    frames, segments = counts[seed % len(counts)], cuts[seed % len(cuts)]
    try:
        program = scheduled_program(network, shape, segments=segments, frames=frames, outside=outside)
    except ScheduleError:
        message = r"of this engine; take|at once, and the engine has|adds words of"
        with pytest.raises(ScheduleError, match=message):
            scheduled_program(network, shape, segments=segments, frames=frames, outside=outside)
        return None
    return (graph, program) if program.external_words * WORD <= CHIP_WORDS * CHIP.shape.width else None


def compare(pairs: Sequence[tuple[Graph, EngineProgram]]) -> None:
    """Each value that the host reads."""
    rng = np.random.default_rng(len(pairs))
    inputs = []
    for graph, program in pairs:
        kind = graph.inputs[0].type
        element = element_of(kind)
        inputs.append(element.lo + element.step * rng.integers(0, element.count, (program.frames, *kind.shape)))
    values = run_side_by_side([program for _, program in pairs], inputs, stalls=(0.1, 0.1))
    for (graph, program), batch, found in zip(pairs, inputs, values, strict=True):
        wanted = wanted_of(program, graph, batch)
        np.testing.assert_array_equal(program.network.numbers(found).reshape(wanted.shape), wanted)


@pytest.mark.parametrize(
    ("shape", "every"),
    [
        (SHAPE, False),
        pytest.param(SHAPE, True, marks=pytest.mark.slow),
        pytest.param(FOUR_ROWS, True, marks=pytest.mark.slow),
    ],
)
def test_networks(shape, every):
    graphs = [catalogued("resnet8"), *([catalogued("preresnet6")] if every else [])]
    pairs = [(graph, program) for graph in graphs for program in programs_of(graph, shape, every=every)]
    found = [random_program(seed, shape) for seed in (range(30) if every else QUICK)]
    found += [random_program(seed, shape, convolves_values=True) for seed in (range(30) if every else QUICK_OF_VALUES)]
    found += [random_program(seed, shape, pools_values=True) for seed in (range(30) if every else QUICK_OF_WINDOWS)]
    compare(pairs + [pair for pair in found if pair is not None])


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, FOUR_ROWS], ids=["2 rows", "4 rows"])
@pytest.mark.parametrize("first", range(30, 400, 30))
@pytest.mark.parametrize("kind", [{}, {"convolves_values": True}, {"pools_values": True}], ids=str)
def test_random_networks(shape, first, kind):
    found = [random_program(seed, shape, **kind) for seed in range(first, first + 30)]
    compare([pair for pair in found if pair is not None])


def test_values_on_both_sides_of_a_layer_that_does_not_keep_columns():
    """No image is cut into strips then."""
    graph = random_residuals(np.random.default_rng(37))
    network = with_windows(engine_network(graph), SHAPE)
    assert not all(keeps_columns(layer) for layer in network.layers)
    programs = [scheduled_program(network, SHAPE, outside=outside) for outside in outsides(network)]
    assert {program.input.strips for program in programs} == {1}
    compare([(graph, program) for program in programs])

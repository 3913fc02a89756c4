"""Codes of several levels in programs with external memory, by RTL and the memory chip's model: random graphs, cut into
segments in several ways."""

import re
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph
from bnnhw.compiler.engine.external.scheduled import frame_counts, outsides, scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from tests.engine_levels import random_levels
from tests.engine_rtl import CHIP, CHIP_WORDS, small_shape

from .test_values import SIZES, compare

ROOMS: dict[str, Any] = SIZES | {"weight_words": 256, "map_words": 512, "parameters": 256}
SHAPE = small_shape(rows=16, sum_width=17, **ROOMS)
FOUR_ROWS = small_shape(rows=32, group_rows=4, group_pixels=4, sum_width=17, **ROOMS)

QUICK = range(12)


def random_program(seed: int, shape: EngineShape) -> tuple[Graph, EngineProgram] | None:
    """A random graph's, of values outside or not, segments and frames that depend on the seed; None where it does not
    fit."""
    graph = random_levels(np.random.default_rng(seed))
    network = with_windows(engine_network(graph), shape)
    outside = outsides(network)[seed // 2 % len(outsides(network))]
    counts, cuts = frame_counts(network, shape), segmentations(network, shape, outside=outside)
    frames, segments = counts[seed % len(counts)], cuts[seed % len(cuts)]
    try:
        program = scheduled_program(network, shape, segments=segments, frames=frames, outside=outside)
    except ScheduleError as refusal:
        if not re.search(
            "of this engine; take|at once, and the engine has|groups of rows|external memory's", str(refusal)
        ):
            raise
        return None
    return (graph, program) if program.external_words * WORD <= CHIP_WORDS * CHIP.shape.width else None


@pytest.mark.parametrize(
    ("shape", "seeds"),
    [
        (SHAPE, QUICK),
        *(
            pytest.param(shape, range(first, first + 30), marks=pytest.mark.slow)
            for shape in (SHAPE, FOUR_ROWS)
            for first in range(0, 300, 30)
        ),
    ],
)
def test_random_networks(shape, seeds):
    pairs = [pair for seed in seeds if (pair := random_program(seed, shape)) is not None]
    assert len(pairs) > len(seeds) // 3
    compare(pairs)

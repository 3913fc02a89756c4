"""Programs with values of fixed point, by RTL: residual networks of the catalogue and random ones, every value that the
host reads against the integer graph, with stalls, in the predicted cycles. All programs of a shape are simulated side
by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import ArgMax, Conv, Flatten, Threshold
from bnnhw.compiler.units.codes import element_of
from bnnhw.hw.engine.engine_shape import EngineShape
from tests.engine_residuals import catalogued, line, random_residuals, wanted_of
from tests.engine_rtl import run_side_by_side, small_shape

SIZES: dict[str, Any] = {
    "values": 2048,
    "weight_words": 2048,
    "parameters": 2048,
    "map_words": 2048,
    "results": 1024,
    "instructions": 2048,
}
SHAPE = small_shape(rows=16, group_rows=2, sum_width=18, **SIZES)
FOUR_ROWS = small_shape(rows=32, group_rows=4, pixels=4, group_pixels=4, sum_width=17, **SIZES)
CATALOGUE = (
    ("resnet8",),
    ("resnet8", "bits=8", "weight_bits=4"),
    ("resnet8", "weight_bits=1"),
    ("resnet8", "shortcuts=bireal"),
    ("preresnet6",),
    ("resnet8", "downsample=B"),
    ("resnet8", "stem=imagenet"),
)
QUICK = (*range(22), 81, 97)
"""Seeds of random networks; the last two add each third column of values that lie in strips."""
QUICK_OF_VALUES = range(8)
"""The same where convolutions read values."""
QUICK_OF_WINDOWS = range(12)
"""The same where the greatest values of windows are taken."""
BLOCKS = [range(first, first + 50) for first in range(0, 1000, 50)]


def compare(graphs: Sequence[Graph], shape: EngineShape, *, names: Sequence[object] | None = None) -> None:
    """Each value that the host reads, and each answer of these graphs' programs."""
    rng = np.random.default_rng(len(graphs))
    programs = [compile_program(graph, shape) for graph in graphs]
    inputs = []
    for graph, program in zip(graphs, programs, strict=True):
        kind = graph.inputs[0].type
        element = element_of(kind)
        inputs.append(element.lo + element.step * rng.integers(0, element.count, (program.frames, *kind.shape)))
    found = run_side_by_side(programs, inputs, stalls=(0.1, 0.1))
    named = names or range(len(graphs))
    for name, graph, program, batch, values in zip(named, graphs, programs, inputs, found, strict=True):
        wanted = wanted_of(program, graph, batch)
        np.testing.assert_array_equal(
            program.network.numbers(values).reshape(wanted.shape), wanted, err_msg=f"network {name}"
        )
        (answers,) = evaluate(graph, {graph.inputs[0].name: batch}).values()
        np.testing.assert_array_equal(program.network.answers(values), answers)


def of_factors() -> Graph:
    """Weights that are sums of any factors, not of powers of two."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    source = "input"
    for name, channels, factors in (("first", 3, (5, 3)), ("second", 6, (9, 4, 1)), ("third", 6, (4, 2, 1))):
        signs = 2 * rng.integers(0, 2, (len(factors), 6, 3, 3, channels)) - 1
        weights = np.tensordot(np.array(factors), signs, 1).astype(np.int16)
        conv = Conv(weights, factors=factors, padding=(1, 1), pad_value=0)
        op = line([900] * 6, rng.integers(-5000, 5000, 6), shift=8, bits=10)
        nodes += [
            Node(f"{name}.conv", conv, (source,), f"{name}.sums"),
            Node(name, op, (f"{name}.sums",), f"{name}.out"),
            Node(f"{name}.sign", Threshold(np.arange(-3, 3)), (f"{name}.out",), f"{name}.bits"),
        ]
        source = f"{name}.bits"
    tail = (Node("flat", Flatten(), ("third.out",), "flat.out"), Node("label", ArgMax(), ("flat.out",), "label.out"))
    return Graph((Value("input", TensorType((4, 4, 3), IntType(0, 3))),), (*nodes[:-1], *tail), ("label.out",))


@pytest.mark.parametrize("shape", [SHAPE, pytest.param(FOUR_ROWS, marks=pytest.mark.slow)], ids=["2 rows", "4 rows"])
def test_networks(shape):
    """Those of the catalogue, one of weights that are sums of any factors, and random ones."""
    graphs = [*(catalogued(*each) for each in CATALOGUE), of_factors()]
    graphs += [random_residuals(np.random.default_rng(seed)) for seed in QUICK]
    graphs += [random_residuals(np.random.default_rng(seed), convolves_values=True) for seed in QUICK_OF_VALUES]
    graphs += [random_residuals(np.random.default_rng(seed), pools_values=True) for seed in QUICK_OF_WINDOWS]
    compare(graphs, shape, names=[*CATALOGUE, "factors", *QUICK, *QUICK_OF_VALUES, *QUICK_OF_WINDOWS])


def test_windows_of_short_tiles():
    """Of fewer cycles than a value takes to where the next one is compared with it."""
    shape = small_shape(rows=8, group_rows=2, sum_width=18, **SIZES)
    assert shape.beats_of_values < shape.beats_of_greatest
    compare([random_residuals(np.random.default_rng(seed), pools_values=True) for seed in (1, 3, 8, 12)], shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, FOUR_ROWS], ids=["2 rows", "4 rows"])
@pytest.mark.parametrize("seeds", BLOCKS, ids=str)
@pytest.mark.parametrize("kind", [{}, {"convolves_values": True}, {"pools_values": True}], ids=str)
def test_random_networks(shape, seeds, kind):
    graphs = {seed: random_residuals(np.random.default_rng(seed), **kind) for seed in seeds}
    graphs = {seed: graph for seed, graph in graphs.items() if fits(graph, shape)}
    assert len(graphs) > len(seeds) // 2
    compare(list(graphs.values()), shape, names=list(graphs))


def fits(graph: Graph, shape: EngineShape) -> bool:
    """Whether the engine has room for a network's program."""
    try:
        compile_program(graph, shape)
    except ScheduleError as refusal:
        if not str(refusal).endswith(" of this engine; take one with more"):
            raise
        return False
    return True

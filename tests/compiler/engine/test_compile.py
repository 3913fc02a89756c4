"""Programs: random networks by the engine's RTL against the integer graph, with stalls, in the predicted cycles."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import ArgMax, Conv, Flatten, MatMul, MaxPool, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.compiler.units.codes import element_of
from bnnhw.hw.engine.engine_shape import EngineShape
from tests.engine_graphs import densenet7, random_graph
from tests.engine_rtl import run_program, small_shape

_GRAPHS = (7, 20, 27, 31)
SHAPE = small_shape(map_words=2048, weight_words=4096, parameters=1024, results=4096)


def signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)


def random_network(rng: np.random.Generator, *, labels: bool = True) -> Graph:
    """A chain of convolutions, thresholds and poolings, of sizes that the engine takes; then dense layers and labels,
    or else a map of scores: without dense layers frames may be cut into strips."""
    size, channels = int(rng.choice([4, 8] if not labels else [4, 6, 8])), int(rng.choice([1, 2, 3, 5, 34]))
    element = BinaryType() if rng.random() < 0.4 else IntType(0, int(rng.choice([1, 3, 12])))
    shape: tuple[int, ...] = (size, size, channels)
    inputs = (Value("x", TensorType(shape, element)),)
    nodes: list[Node] = []

    def add(name: str, op) -> None:
        before = nodes[-1].output if nodes else "x"
        nodes.append(Node(name, op, (before,), f"{name}.out"))

    for number in range(int(rng.integers(1, 4))):
        rows = int(rng.integers(1, 40))
        kernel = int(rng.choice([1, 3] if not labels else [1, 2, 3])) if min(shape[:2]) >= 3 else 1
        padding = int(not labels or rng.random() < 0.5) if kernel == 3 else 0
        lo = -1 if nodes else element.lo
        is_zero = (nodes or isinstance(element, BinaryType)) and shape[2] % 2 == 0 and rng.random() < 0.5
        stride = int(rng.choice([1, 1, 2])) if min(shape[:2]) > kernel else 1
        conv = Conv(
            signs(rng, rows, kernel, kernel, shape[2]),
            stride=(stride, stride),
            padding=(padding, padding),
            pad_value=0 if is_zero else lo,
        )
        add(f"conv{number}", conv)
        shape = conv.output_shape(shape)
        spread = int(np.sqrt(conv.cols)) + 1
        add(f"sign{number}", Threshold(rng.integers(-spread, spread + 1, rows)))
        if min(shape[:2]) >= 2 and rng.random() < 0.5:
            pool = MaxPool((2, 2), (2, 2), rng.random(rows) < 0.5 if rng.random() < 0.5 else None)
            add(f"pool{number}", pool)
            shape = (shape[0] // 2, shape[1] // 2, rows)
    if not labels:
        add("map", Conv(signs(rng, int(rng.integers(1, 12)), 1, 1, shape[2])))
        return Graph(inputs, tuple(nodes), (nodes[-1].output,))
    add("flatten", Flatten())
    features = int(np.prod(shape))
    if rng.random() < 0.5:
        add("hidden", MatMul(signs(rng, 20, features)))
        add("hidden_sign", Threshold(rng.integers(-3, 4, 20)))
        features = 20
    add("scores", MatMul(signs(rng, int(rng.integers(2, 12)), features)))
    if labels:
        add("label", ArgMax())
    return Graph(inputs, tuple(nodes), (nodes[-1].output,))


def random_inputs(graph: Graph, count: int, rng: np.random.Generator) -> np.ndarray:
    kind = graph.inputs[0].type
    element = element_of(kind)
    return element.lo + element.step * rng.integers(0, element.count, (count, *kind.shape))


@pytest.mark.parametrize(
    "seed", [*range(9), 263, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(9, 500) if seed != 263)]
)
def test_random_networks(seed):
    rng = np.random.default_rng(seed)
    compare(random_network(rng, labels=seed % 2 == 0), SHAPE, rng, stalls=0.0 if seed % 2 else 0.3)


@pytest.mark.parametrize(
    "seed", [*_GRAPHS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(300) if seed not in _GRAPHS)]
)
def test_random_graphs(seed):
    rng = np.random.default_rng(seed)
    compare(random_graph(rng, labels=seed % 2 == 0), SHAPE, rng, stalls=0.0 if seed % 2 else 0.3)


@pytest.mark.parametrize(
    "sizes",
    [
        {"results": 4096, "map_words": 2048, "parameters": 1024},  # the shape of the tests above
        {"pixels": 2, "rows": 4, "simd": 64},
        pytest.param({"pixels": 8, "rows": 16, "group_pixels": 4}, marks=pytest.mark.slow),
        pytest.param({"pixels": 16, "rows": 4, "group_pixels": 4}, marks=pytest.mark.slow),
    ],
    ids=["4x8x32", "2x4x64", "8x16x32", "16x4x32"],
)
def test_densenet7(sizes):
    """Concats of what a stem or a transition gave and of what each layer adds, in arrays of several shapes."""
    shape = small_shape(**{"parameters": 256} | sizes, weight_words=4096)
    compare(densenet7(), shape, np.random.default_rng(2), stalls=0.1)


def compare(graph: Graph, shape: EngineShape, rng: np.random.Generator, *, stalls: float) -> None:
    """A full run and one of a single frame, by RTL."""
    program = compile_program(graph, shape)
    batches = [random_inputs(graph, program.frames, rng), random_inputs(graph, 1, rng)]
    for inputs, found in zip(batches, run_program(program, batches, stalls=(stalls, stalls)), strict=True):
        (wanted,) = evaluate(graph, {graph.inputs[0].name: inputs}).values()
        np.testing.assert_array_equal(found, wanted)


def test_more_sums_than_results_are_refused():
    rng = np.random.default_rng(1)
    nodes = (Node("scores", Conv(signs(rng, 8, 1, 1, 32)), ("x",), "y"),)
    graph = Graph((Value("x", TensorType((8, 8, 32), BinaryType())),), nodes, ("y",))
    with pytest.raises(ScheduleError, match=r"^512 sums of the last layer are more than the results=128 of this"):
        compile_program(graph, small_shape(results=64))

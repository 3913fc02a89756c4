"""Graphs with forks and joins from integers to the RTL: several foldings, random stalls, exact cycles."""

from collections.abc import Callable

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, Schedule, TensorType, Value, evaluate
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import trace, verify
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import get_device
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.rungs import frames_of, trace_rtl

DEVICE = get_device("LFE5U-85F")
SHAPE = (6, 8, 2)
FRAMES = 10


class Sketch:
    """An integer graph, node by node; each value is named by its number."""

    def __init__(self, seed: int = 0, shape: tuple[int, ...] = SHAPE):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Node] = []
        self.types = {"x": TensorType(shape, IntType(0, 3))}

    def add(self, op: ops.Op, *inputs: str) -> str:
        output = f"v{len(self.nodes)}"
        self.nodes.append(Node(f"n{len(self.nodes)}", op, inputs, output))
        self.types[output] = op.infer(*(self.types[value] for value in inputs))
        return output

    def conv(self, x: str, rows: int, kernel: int = 3, **options) -> str:
        weights = self.rng.choice(np.array([-1, 1], np.int8), (rows, kernel, kernel, self.types[x].shape[2]))
        padding = (kernel // 2, kernel // 2)
        return self.add(ops.Conv(weights, padding=padding, pad_value=1, **options), x)

    def dense(self, x: str, rows: int) -> str:
        flat = self.add(ops.Flatten(), x) if len(self.types[x].shape) == 3 else x
        weights = self.rng.choice(np.array([-1, 1], np.int8), (rows, self.types[flat].shape[0]))
        return self.add(ops.MatMul(weights), flat)

    def sign(self, x: str) -> str:
        element = self.types[x].element
        assert isinstance(element, IntType)
        middle, reach = (element.lo + element.hi) // 2, max(1, (element.hi - element.lo) // 8)
        thresholds = self.rng.integers(middle - reach, middle + reach + 1, self.types[x].shape[-1])
        return self.add(ops.Threshold(thresholds), x)

    def graph(self, scores: str, *, label: bool = True) -> Graph:
        last = self.add(ops.ArgMax(), scores) if label else scores
        return verify(Graph((Value("x", self.types["x"]),), tuple(self.nodes), (last,)))


def concat_of_bits(sketch: Sketch) -> str:
    first = sketch.sign(sketch.conv("x", 4))
    left, right = sketch.sign(sketch.conv(first, 3)), sketch.sign(sketch.conv(first, 2, 1))
    return sketch.dense(sketch.add(ops.Concat(), left, right), 5)


def dense_net(sketch: Sketch) -> str:
    value = sketch.sign(sketch.conv("x", 4))
    for rows in (3, 2):
        value = sketch.add(ops.Concat(), value, sketch.sign(sketch.conv(value, rows)))
    return sketch.dense(value, 5)


def dense_branches(sketch: Sketch) -> str:
    first = sketch.sign(sketch.dense("x", 12))
    left, right = sketch.sign(sketch.dense(first, 6)), sketch.sign(sketch.dense(first, 8))
    return sketch.dense(sketch.add(ops.Concat(), left, right), 5)


def sum_of_sums(sketch: Sketch) -> str:
    first = sketch.sign(sketch.conv("x", 4))
    total = sketch.add(ops.Add(), sketch.conv(first, 4), sketch.conv(first, 4, 1))
    return sketch.dense(sketch.sign(total), 5)


def residual(sketch: Sketch) -> str:
    sums = sketch.conv("x", 4)
    total = sketch.add(ops.Add(), sums, sketch.conv(sketch.sign(sums), 4))
    return sketch.dense(sketch.sign(total), 5)


def three_ways(sketch: Sketch) -> str:
    first = sketch.sign(sketch.conv("x", 4))
    ways = [sketch.sign(sketch.conv(first, rows, kernel)) for rows, kernel in ((2, 1), (4, 3), (2, 5))]
    joined = sketch.add(ops.Concat(), *ways)
    return sketch.dense(sketch.add(ops.MaxPool((2, 2), (2, 2)), joined), 5)


def two_thresholds(sketch: Sketch) -> str:
    sums = sketch.conv("x", 4)
    left, right = sketch.sign(sums), sketch.sign(sums)
    return sketch.dense(sketch.add(ops.Concat(), left, sketch.sign(sketch.conv(right, 3))), 5)


GRAPHS: dict[str, Callable[[Sketch], str]] = {
    function.__name__: function
    for function in (concat_of_bits, dense_net, dense_branches, sum_of_sums, residual, three_ways, two_thresholds)
}
FOLDINGS = ((1, False, (0.0, 0.0)), (2, False, (0.3, 0.3)), (4, False, (0.0, 0.0)), (1, True, (0.3, 0.0)))
"""PE, SIMD and pixels at most, whether hardwired, and the probabilities of stalls before and behind the core."""


def folded(graph: Graph, *, most: int, hardwired: bool) -> Schedule:
    plan = []
    for layer in lower_network(graph).pipeline.layers:
        if hardwired:
            folding = Folding(layer.rows, layer.simds[-1] if layer.windows else layer.cols, engine="hardwired")
        else:
            legal = layer.pes, layer.simds, layer.pixel_counts
            pe, simd, pixels = (max(size for size in sizes if size <= most) for sizes in legal)
            folding = Folding(pe, simd, pixels=pixels)
        plan.append((layer.name, folding))
    return apply_plan(graph, FoldingPlan(tuple(plan)), device=DEVICE, clock_hz=1e8)


def images(graph: Graph, count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, (count, *graph.inputs[0].type.shape))


def check_rtl(chosen: Schedule, graph: Graph, *, stalls: tuple[float, float]) -> None:
    """The RTL gives the graph's answers, and without stalls in the predicted cycles."""
    inputs = images(graph, FRAMES)
    (expected,) = evaluate(graph, {"x": inputs}).values()
    result = BatchSimulator(chosen.core()).run(
        frames_of(chosen, inputs), output_beats=chosen.output_beats, stall_probability=stalls, seed=2, lanes=1
    )
    answers = chosen.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=FRAMES)
    np.testing.assert_array_equal(answers, expected)
    if stalls == (0.0, 0.0):
        ends = result.output_cycles[:, -1]
        assert ends[0] - result.accepted_cycles[0, 0] == chosen.timing.latency
        assert set(np.diff(ends)[FRAMES // 2 :].tolist()) == {chosen.timing.initiation_interval}


@pytest.mark.parametrize("name", GRAPHS)
def test_foldings(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    for most, hardwired, stalls in FOLDINGS:
        check_rtl(folded(graph, most=most, hardwired=hardwired), graph, stalls=stalls)


@pytest.mark.parametrize("name", ["dense_net", "residual", "three_ways"])
def test_every_value_is_equal(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch), label=False)
    inputs = images(graph, 4)
    expected = trace(graph, {"x": inputs})
    found = trace_rtl(folded(graph, most=2, hardwired=False), inputs)
    assert len(found) >= 3
    for value, values in found.items():
        np.testing.assert_array_equal(values, expected[value], err_msg=value)


@pytest.mark.parametrize("name", ["dense_net", "dense_branches", "sum_of_sums"])
def test_searched_foldings(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    chosen = schedule(graph, DEVICE, target_fps=500_000)
    assert chosen.frames_per_second >= 500_000
    check_rtl(chosen, graph, stalls=(0.0, 0.0))

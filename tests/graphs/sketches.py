"""Integer graphs with forks and joins, drawn by hand and at random."""

from collections.abc import Callable

import numpy as np

from bnnhw.compiler import Graph, Node, TensorType, Value
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import verify
from bnnhw.compiler.ir.types import IntType

SHAPE = (6, 8, 2)


class Sketch:
    """An integer graph, node by node; each value is named by its number."""

    def __init__(self, seed: int = 0, shape: tuple[int, ...] = SHAPE):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Node] = []
        self.types = {"x": TensorType(shape, IntType(0, 3))}
        self.samples = {"x": np.random.default_rng(seed).integers(0, 4, (16, *shape))}

    def add(self, op: ops.Op, *inputs: str) -> str:
        output = f"v{len(self.nodes)}"
        self.nodes.append(Node(f"n{len(self.nodes)}", op, inputs, output))
        self.types[output] = op.infer(*(self.types[value] for value in inputs))
        self.samples[output] = op.reference(*(self.samples[value] for value in inputs))
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
        """Each channel's threshold is next to its median, so that its signs differ from image to image."""
        samples = self.samples[x]
        medians = np.median(samples.reshape(-1, samples.shape[-1]), axis=0).astype(np.int64)
        return self.add(ops.Threshold(medians + self.rng.integers(0, 2, len(medians))), x)

    def pick(self, *choices):
        """One of them."""
        return choices[self.rng.integers(len(choices))]

    def graph(self, scores: str, *, label: bool = True) -> Graph:
        return self.ending_in(self.add(ops.ArgMax(), scores) if label else scores)

    def ending_in(self, *outputs: str) -> Graph:
        return verify(Graph((Value("x", self.types["x"]),), tuple(self.nodes), outputs))


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


def sums_of_two_widths(sketch: Sketch) -> str:
    first = sketch.sign(sketch.conv("x", 4))
    narrow, wide = sketch.conv(first, 3, 1), sketch.conv(first, 2)
    return sketch.dense(sketch.sign(sketch.add(ops.Concat(), narrow, wide)), 5)


GRAPHS: dict[str, Callable[[Sketch], str]] = {
    function.__name__: function
    for function in (
        concat_of_bits,
        dense_net,
        dense_branches,
        sum_of_sums,
        residual,
        three_ways,
        two_thresholds,
        sums_of_two_widths,
    )
}


def random_graph(seed: int, shape: tuple[int, ...] = SHAPE) -> Graph:
    """A random series-parallel graph: up to four pieces, each perhaps of up to three branches. Two of three give their
    scores, which tell more than a label."""
    sketch = Sketch(seed, shape)
    value = sketch.sign(sketch.conv("x", sketch.pick(2, 3, 4)))
    for _ in range(sketch.pick(1, 2, 3)):
        value = piece(sketch, value)
    return sketch.graph(sketch.dense(value, 5), label=seed % 3 == 0)


def piece(sketch: Sketch, value: str) -> str:
    """Branches of bits that are concatenated, sums of branches before one threshold, or a pooling."""
    height, width, _ = sketch.types[value].shape
    kind = sketch.pick("concat", "add", "pool", "concat", "add")
    if kind == "pool" and min(height, width) >= 4:
        return sketch.add(ops.MaxPool((2, 2), (2, 2)), value)
    strides = [(1, 1), (2, 2)] if height % 2 == width % 2 == 0 and min(height, width) >= 4 else [(1, 1)]
    stride = strides[sketch.rng.integers(len(strides))]
    if kind == "add":
        rows = sketch.pick(2, 3, 4)
        total = branch_of_sums(sketch, value, rows, stride)
        for _ in range(sketch.pick(1, 2)):
            total = sketch.add(ops.Add(), total, branch_of_sums(sketch, value, rows, stride))
        return sketch.sign(total)
    branches = [
        sketch.sign(branch_of_sums(sketch, value, sketch.pick(1, 2, 3), stride)) for _ in range(sketch.pick(1, 2))
    ]
    if stride == (1, 1):
        branches.append(value)  # a skip
    if len(branches) == 1:
        return branches[0]
    return sketch.add(ops.Concat(), *branches)


def branch_of_sums(sketch: Sketch, value: str, rows: int, stride: tuple[int, int]) -> str:
    """One or two convolutions to sums, the last with this stride."""
    if sketch.rng.random() < 1 / 3:
        value = sketch.sign(sketch.conv(value, sketch.pick(1, 2, 3), sketch.pick(1, 3)))
    return sketch.conv(value, rows, sketch.pick(1, 3, 5), stride=stride)

"""Float arithmetic that several read: each gets its own, and thresholds of it."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, TensorType, Value, evaluate, integerize
from bnnhw.compiler.ir.ops import (
    BatchNorm,
    BinaryConv2d,
    BinaryLinear,
    Concat,
    Conv,
    DepthToSpace,
    Flatten,
    MaxPool,
    PRelu,
    Quantise,
    Sign,
)  # fmt: skip
from bnnhw.compiler.ir.types import IntType

RNG = np.random.default_rng(0)


def conv(rows: int, channels: int, kernel: int = 3) -> BinaryConv2d:
    weights = RNG.choice([-1, 1], (rows, kernel, kernel, channels)).astype(np.int8)
    padding = (kernel // 2, kernel // 2)
    return BinaryConv2d(Conv(weights, padding=padding), np.abs(RNG.normal(1, 0.2, rows)).astype(np.float32))


def norm(channels: int, *, least: float = -1.0) -> BatchNorm:
    """Some of its channels fall, unless told otherwise."""
    mean, bias = RNG.normal(0, 3, (2, channels)).astype(np.float32)
    weight = RNG.uniform(least, 1, channels).astype(np.float32)
    return BatchNorm(1e-5, mean, RNG.uniform(1, 20, channels).astype(np.float32), weight, bias)


def u_net() -> Graph:
    """A level of a U-Net: the sums of one convolution go down through a pooling, and across, beside what comes up; each
    with a batch norm and bits of its own."""
    nodes = (
        Node("first", conv(3, 2), ("x",), "a"),
        Node("leak", PRelu(np.array([0.25], np.float32)), ("a",), "b"),
        Node("pool", MaxPool((2, 2), (2, 2)), ("b",), "c"),
        Node("down.norm", norm(3), ("c",), "d"),
        Node("down.sign", Sign(), ("d",), "e"),
        Node("up", conv(8, 3, kernel=1), ("e",), "f"),
        Node("shuffle", DepthToSpace(2), ("f",), "g"),
        Node("join", Concat(), ("g", "b"), "h"),
        Node("join.norm", norm(5), ("h",), "i"),
        Node("join.codes", Quantise(2), ("i",), "j"),
        Node("flatten", Flatten(), ("j",), "k"),
        Node("scores", BinaryLinear(RNG.choice([-1, 1], (4, 4 * 6 * 5)).astype(np.int8)), ("k",), "y"),
    )
    return Graph((Value("x", TensorType((4, 6, 2), IntType(0, 7))),), nodes, ("y",))


@pytest.mark.parametrize("seed", range(3))
def test_a_level_of_a_u_net(seed: int) -> None:
    graph = u_net()
    integers = integerize(graph, output="scores", check=True)
    images = np.random.default_rng(seed).integers(0, 8, (50, 4, 6, 2))
    (sums,), (scores,) = (evaluate(one, {"x": images}).values() for one in (integers, graph))
    np.testing.assert_array_equal(sums, scores)
    readers = [node.name for node in integers.consumers("a.sum")]
    assert len(readers) == 2


def test_an_output_keeps_what_others_read() -> None:
    """Sums that are an output, and bits of them that another layer reads."""
    first, second = (BinaryLinear(RNG.choice([-1, 1], shape).astype(np.int8)) for shape in ((5, 9), (3, 5)))
    nodes = (
        Node("first", first, ("x",), "a"),
        Node("norm", norm(5), ("a",), "b"),
        Node("sign", Sign(), ("b",), "c"),
        Node("second", second, ("c",), "y"),
    )
    graph = Graph((Value("x", TensorType((9,), IntType(0, 7))),), nodes, ("b", "y"))
    integers = integerize(graph, output="scores", check=True)
    x = RNG.integers(0, 8, (50, 9))
    sums, scores = evaluate(integers, {"x": x}).values()
    given = evaluate(graph, {"x": x})
    np.testing.assert_array_equal(scores, given["y"])
    np.testing.assert_array_equal(norm_of(graph).reference(sums), given["b"])


def norm_of(graph: Graph) -> BatchNorm:
    (found,) = (node.op for node in graph.nodes if isinstance(node.op, BatchNorm))
    return found

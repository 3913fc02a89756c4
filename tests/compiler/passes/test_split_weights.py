"""Integer weights as planes of +-1: of any integers, and the same sums in graphs."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bnnhw.compiler.ir.graph import Graph, Node, Value, evaluate
from bnnhw.compiler.ir.ops import Conv, MatMul, Product
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.passes.split_weights import binary_planes, split_weights


def integers(seed: int, most: int, *shape: int, step: int = 1) -> NDArray[np.int16]:
    """From -most to most in such steps; the greatest among them."""
    values = np.random.default_rng(seed).integers(0, 2 * most // step + 1, shape) * step - most
    values.flat[0] = most
    return values.astype(np.int16)


@pytest.mark.parametrize(
    ("most", "step", "factors", "halved"),
    [
        (1, 2, (1,), 0),
        (7, 2, (1, 2, 4), 0),
        (255, 2, (1, 2, 4, 8, 16, 32, 64, 128), 0),
        (1, 1, (1, 1), 1),
        (2, 1, (1, 2, 1), 1),
        (6, 1, (1, 2, 4, 8, 1), 1),
        (512, 1, (*(2**place for place in range(10)), 1), 1),
    ],
)
def test_planes_sum_up_to_the_weights(most: int, step: int, factors: tuple[int, ...], halved: int) -> None:
    weights = integers(most, most, 5, 3, 2, 4, step=step)
    planes = binary_planes(weights)
    assert (planes.factors, planes.halved) == (factors, halved)
    assert set(np.unique(planes.rows)) <= {-1, 1}
    rows = planes.rows.reshape(5, len(factors), 3, 2, 4).astype(int)
    assert np.array_equal(np.tensordot(rows, factors, axes=(1, 0)), weights.astype(int) << halved)


def graph_of(product: Product, shape: tuple[int, ...]) -> Graph:
    value = Value("input", TensorType(shape, IntType(0, 255)))
    return Graph(inputs=(value,), nodes=(Node("layer", product, ("input",), "sums"),), outputs=("sums",), meta={})


CASES: dict[str, Any] = {
    "matmul": lambda step: (MatMul(integers(1, 7, 5, 12, step=step)), (12,)),
    "conv": lambda step: (Conv(integers(2, 255, 4, 3, 3, 2, step=step), stride=(2, 1), padding=(1, 1)), (6, 5, 2)),
    "groups": lambda step: (Conv(integers(3, 3, 4, 1, 1, 2, step=step), groups=2), (3, 3, 4)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("step", [2, 1])
def test_the_sums_stay(case: str, step: int) -> None:
    product, shape = CASES[case](step)
    graph = graph_of(product, shape)
    split = split_weights(graph)
    assert [node.name for node in split.nodes] == ["layer", "layer.combine"]
    assert isinstance(first := split.nodes[0].op, Product)
    assert first.is_binary
    x = np.random.default_rng(0).integers(0, 256, (6, *shape))
    assert np.array_equal(evaluate(split, {"input": x})["sums"], evaluate(graph, {"input": x})["sums"])


def test_binary_weights_stay_as_they_are() -> None:
    graph = graph_of(MatMul(np.ones((3, 4), np.int8)), (4,))
    assert split_weights(graph).nodes == graph.nodes

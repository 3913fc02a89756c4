"""The network's table against figures worked out by hand, and against counting by brute force."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnnhw.compiler import BinaryType, Graph, IntType, Node, TensorType, Value, integerize, load
from bnnhw.compiler.ir.ops import Add, Concat, Conv, Flatten, MatMul, Threshold
from bnnhw.compiler.report.inspect import LayerSummary, count_constant_channels, count_unique_rows, summarize_network
from bnnhw.compiler.report.unique_filters import FilterReuse
from tests.compiler.make_model import make_model

WEIGHTS = np.array([[1, 1, -1, 1], [-1, -1, 1, -1], [1, 1, -1, 1], [1, 1, 1, 1], [1, -1, 1, 1]], np.int8)


def small_graph() -> Graph:
    return Graph(
        inputs=(Value("x", TensorType((2, 2, 1), IntType(0, 16))),),
        nodes=(
            Node("flat", Flatten(), ("x",), "f"),
            Node("first", MatMul(WEIGHTS), ("f",), "sums"),
            Node("first.sign", Threshold(np.array([-16, 49, -15, 0, 7])), ("sums",), "bits"),
            Node("head", MatMul(np.ones((3, 5), np.int8)), ("bits",), "scores"),
        ),
        outputs=("scores",),
    )


def test_layers_of_a_small_network():
    flat, first, sign, head = summarize_network(small_graph()).layers
    assert (flat.input_shape, flat.output_shape, flat.input_element, flat.input_bits) == ((2, 2, 1), (4,), "0..16", 5)
    assert first == LayerSummary(
        name="first",
        op="MatMul",
        input_shape=(4,),
        output_shape=(5,),
        input_element="0..16",
        output_element="\u221248..64",
        input_bits=5,
        output_bits=7,
        weights=20,
        macs=20,
        rows=5,
        unique_rows=3,
        plus_share=14 / 20,
        reads=("flat",),
    )
    assert (sign.weights, sign.macs, sign.rows, sign.constant_channels) == (0, 0, None, 3)
    assert (head.input_element, head.input_bits, head.unique_rows, head.constant_channels) == ("±1", 1, 1, None)


def test_a_layer_that_reads_two_tells_both():
    chain = small_graph()
    head, both = Node("both", Add(), ("bits", "bits"), "b"), Node("join", Concat(), ("b", "sums"), "j")
    network = summarize_network(replace(chain, nodes=(*chain.nodes, head, both), outputs=("j",)))
    assert [layer.reads for layer in network.layers] == [
        *(("x",), ("flat",), ("first",), ("first.sign",)),
        *(("first.sign", "first.sign"), ("both", "first")),
    ]
    assert (network.layers[-1].input_shape, network.layers[-1].output_shape) == ((5,), (10,))
    assert summarize_network(chain).is_chain
    assert not network.is_chain
    assert network.inputs == ("x",)
    assert network.lanes.lines() == ["●", "●", "●─╮", "●─┼─┬─╮", "● │ │ │", "  │ ●─╯", "  ●─╯"]


def test_a_layer_may_be_called_as_the_input_is():
    first, bits, join = (
        replace(node, name="x" if node.name == "first" else node.name) for node in small_graph().nodes[1:]
    )
    network = summarize_network(replace(small_graph(), nodes=(small_graph().nodes[0], first, bits, join)))
    assert network.inputs == ("x",)
    assert network.lanes.lines() == ["●"] * 5


def test_sums_of_a_small_network():
    network = summarize_network(small_graph())
    assert (network.weights, network.macs, network.weight_bytes) == (35, 35, 5)
    assert network.unique_row_share == 4 / 8
    assert network.theoretical_speedup == pytest.approx(35 / (20 * 5 / 64 + 5 + 15 / 64 + 3))


def test_filters_of_a_convolution():
    weights = np.array([[[[1], [1]]], [[[-1], [-1]]], [[[1], [-1]]]], np.int8)
    graph = Graph(
        inputs=(Value("x", TensorType((2, 2, 1), BinaryType())),),
        nodes=(Node("conv", Conv(weights), ("x",), "sums"),),
        outputs=("sums",),
    )
    (conv,) = summarize_network(graph).layers
    assert conv.filters == FilterReuse(filters=3, unique=2, unique_if_random=1.75)
    assert (conv.rows, conv.unique_rows) == (3, 2)


def test_a_network_without_weights_is_not_sped_up():
    graph = Graph((Value("x", TensorType((2, 2, 1), BinaryType())),), (Node("flat", Flatten(), ("x",), "f"),), ("f",))
    network = summarize_network(graph)
    assert (network.macs, network.theoretical_speedup, network.unique_row_share) == (0, 1.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_unique_rows_by_brute_force(seed: int):
    weights = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (40, 5))
    unique: list[np.ndarray] = []
    for row in weights:
        if not any((row == other).all() or (row == -other).all() for other in unique):
            unique.append(row)
    assert count_unique_rows(weights) == len(unique)


@pytest.mark.parametrize("element", [BinaryType(), IntType(0, 2), IntType(-1, 1)])
def test_constant_channels_by_every_input(element: BinaryType | IntType):
    weights = np.repeat(np.array([[1, 1, -1]], np.int8), 19, axis=0)
    threshold = Threshold(np.arange(-9, 10))
    numbers = [-1, 1] if isinstance(element, BinaryType) else range(element.lo, element.hi + 1)
    inputs = np.array(np.meshgrid(numbers, numbers, numbers)).reshape(3, -1).T
    bits = threshold.reference(MatMul(weights).reference(inputs))
    constant = int((bits == bits[0]).all(axis=0).sum())
    assert 0 < constant < 19
    assert count_constant_channels(threshold, MatMul(weights), element) == constant


def test_trained_and_integer_graph_agree(tmp_path: Path):
    trained = load(make_model(seed=3).save(tmp_path / "model.pt"))
    table, integer = summarize_network(trained), summarize_network(integerize(trained))
    assert (table.weights, table.macs, table.unique_row_share) == (
        integer.weights,
        integer.macs,
        integer.unique_row_share,
    )
    assert "float32" in {layer.output_element for layer in table.layers}
    assert "float32" not in {layer.output_element for layer in integer.layers}

"""Graphs in the engine's layers: the maps that each reads and writes, and what is refused."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.layers import Pool
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import (
    Add,
    Concat,
    Conv,
    DepthToSpace,
    Flatten,
    Levels,
    MatMul,
    MaxPool,
    MultiThreshold,
    Threshold,
)
from bnnhw.compiler.ir.types import BinaryType, Element
from tests.engine_graphs import densenet7
from tests.engine_rtl import small_shape


def conv(rows: int, channels: int, kernel: int = 1) -> Conv:
    return Conv(np.ones((rows, kernel, kernel, channels), np.int8))


def sign() -> Threshold:
    return Threshold(np.zeros(1, np.int64))


def graph_of(*nodes: Node, element: Element | None = None, outputs: tuple[str, ...] = ()) -> Graph:
    """Of maps of (4, 4, 2)."""
    inputs = (Value("x", TensorType((4, 4, 2), element or BinaryType())),)
    return Graph(inputs, nodes, outputs or (nodes[-1].output,))


FIRST = (Node("conv0", conv(3, 2), ("x",), "s0"), Node("sign0", sign(), ("s0",), "a"))
SECOND = (Node("conv1", conv(5, 3), ("a",), "s1"), Node("sign1", sign(), ("s1",), "b"))


def test_densenet7():
    network = engine_network(densenet7())
    assert [layer.channels for layer in network.layers] == [
        *((1,), (16,), (16, 16), (16, 16, 16), (24,), (24, 16), (24, 16, 16)),
    ]
    stem, one, two, transition, *_ = (layer.writes for layer in network.layers)
    assert network.layers[3].reads == (stem, one, two)
    assert network.layers[6].reads[0] == transition
    assert network.readers(stem) == (1, 2, 3)
    assert network.readers(network.input) == (0,)
    assert network.layers[6].in_shape == (4, 4, 56)


def test_concats_of_concats_and_of_one_map_twice():
    nodes = (
        *FIRST,
        *SECOND,
        Node("inner", Concat(), ("b", "a"), "c"),
        Node("outer", Concat(), ("c", "x", "b"), "d"),
        Node("scores", conv(2, 15), ("d",), "y"),
    )
    last = engine_network(graph_of(*nodes)).layers[-1]
    assert last.reads == ("b", "a", "x", "b")
    assert last.channels == (5, 3, 2, 5)
    assert last.in_shape == (4, 4, 15)


@pytest.mark.parametrize(
    ("nodes", "element", "message"),
    [
        (
            (
                *FIRST,
                Node("f", Flatten(), ("a",), "fa"),
                Node("g", Flatten(), ("x",), "fx"),
                Node("join", Concat(), ("fa", "fx"), "c"),
                Node("scores", MatMul(np.ones((2, 80), np.int8)), ("c",), "y"),
            ),
            None,
            r"^node 'join' joins maps that are flattened; the engine joins channels: flatten behind it$",
        ),
        (
            (*FIRST, Node("join", Concat(), ("a", "x"), "c"), Node("scores", conv(2, 5), ("c",), "y")),
            IntType(-1, 1),
            r"^node 'join' joins values of several ranges; the engine joins those of one, such as bits$",
        ),
        (
            (
                *FIRST,
                Node("pool", MaxPool((2, 2), (2, 2)), ("a",), "p"),
                Node("conv1", conv(3, 3, kernel=3), ("a",), "s1"),
                Node("sign1", sign(), ("s1",), "b"),
                Node("join", Concat(), ("p", "b"), "c"),
                Node("scores", conv(2, 6), ("c",), "y"),
            ),
            None,
            r"^node 'pool' \(MaxPool\) reads 'sign0', and so does 'conv1'; the engine does this to bits that "
            r"nothing else reads: give each a threshold of its own$",
        ),
        (
            (
                *FIRST,
                *SECOND,
                Node("join", Concat(), ("a", "b"), "c"),
                Node("pool", MaxPool((2, 2), (2, 2)), ("c",), "p"),
                Node("scores", conv(2, 8), ("p",), "y"),
            ),
            None,
            r"^node 'pool' \(MaxPool\) has no place on the engine, which runs products with thresholds, joins their "
            r"bits, and adds values of fixed point$",
        ),
        (
            (*FIRST, Node("add", Add(), ("a", "a"), "c"), Node("scores", conv(2, 3), ("c",), "y")),
            None,
            r"^node 'add' \(Add\) has no place on the engine",
        ),
        (
            (*FIRST, Node("conv1", conv(3, 3), ("a",), "s1"), Node("scores", conv(2, 3), ("s1",), "y")),
            None,
            r"^node 'scores' \(Conv\) has no place on the engine",
        ),
        (
            FIRST,
            None,
            r"^a network for the engine is layers with thresholds or values behind them, and one output of sums or "
            r"values$",
        ),
        (
            (
                Node("conv0", conv(3, 2), ("x",), "s0"),
                Node("pool", MaxPool((2, 2), (1, 1), np.array([True, False, True])), ("s0",), "p"),
                Node("sign0", sign(), ("p",), "a"),
                Node("scores", conv(2, 3), ("a",), "y"),
            ),
            None,
            r"^node 'pool' takes the least values of some channels, and the engine the greatest ones alone: pool "
            r"behind what makes these values fall$",
        ),
    ],
    ids=[
        *("flattened", "ranges", "pooled and read", "pooled concat", "sum", "sums of sums", "bits"),
        "least values",
    ],
)
def test_refused(nodes, element, message):
    with pytest.raises(ScheduleError, match=message):
        engine_network(graph_of(*nodes, element=element))


def test_sums_with_two_thresholds_are_made_twice():
    nodes = (
        *FIRST,
        Node("other", MultiThreshold(np.zeros((1, 3), np.int64)), ("s0",), "codes"),
        Node("pool", MaxPool((2, 2), (2, 2)), ("a",), "p"),
        Node("conv1", conv(12, 3), ("p",), "s1"),
        Node("sign1", sign(), ("s1",), "b"),
        Node("pixels", DepthToSpace(2), ("b",), "image"),
        Node("levels", Levels((-1, 1)), ("codes",), "bits"),
        Node("scores", conv(2, 3), ("bits",), "y"),
    )
    first, second, third, _ = engine_network(graph_of(*nodes)).layers
    assert (first.writes, first.pool, second.writes, second.pool) == ("p", Pool((2, 2), (2, 2)), "codes", Pool())
    assert (third.reads, third.writes, third.block, third.map_shape) == (("p",), "image", 2, (4, 4, 3))


def test_several_outputs_are_refused():
    nodes = (*FIRST, Node("scores", conv(2, 3), ("a",), "y"))
    with pytest.raises(ScheduleError, match=r"^a network for the engine has one output; this one has \['a', 'y'\]$"):
        engine_network(graph_of(*nodes, outputs=("a", "y")))


def test_maps_without_room_are_named():
    shape = small_shape(map_words=256, weight_words=4096, parameters=256)
    with pytest.raises(
        ScheduleError,
        match=r"^maps 'input' of 320, 'stem.sign' of 64 words are needed at once: 384 are more than the "
        r"map_words=256 of this engine; take an engine of larger banks, or external memory$",
    ):
        compile_program(densenet7(), shape)

"""Types, verification and evaluation of graphs."""

import numpy as np
import pytest

from bnnhw.compiler import BinaryType, Graph, GraphError, IntType, Node, TensorType, Value, evaluate, trace, verify
from bnnhw.compiler.ir.graph import infer_types, random_feeds
from bnnhw.compiler.ir.ops import ArgMax, Flatten, MatMul, Threshold

X = Value("x", TensorType((2, 2, 1), IntType(0, 9)))
FLAT = Node("flat", Flatten(), ("x",), "f")
WEIGHTS = np.array([[1, 1, 1, 1], [-1, 1, -1, 1]], np.int8)
LAYER = Node("layer", MatMul(WEIGHTS), ("f",), "s")
BITS = Node("bits", Threshold(np.array([5, 0])), ("s",), "b")


def test_types_follow_the_values():
    types = infer_types(Graph((X,), (FLAT, LAYER, BITS), ("b",)))
    assert [str(types[name]) for name in "xfsb"] == [
        "int[0..9][2, 2, 1]",
        "int[0..9][4]",
        "int[-18..36][2]",
        "binary[2]",
    ]


def test_values_of_a_trace():
    values = trace(Graph((X,), (FLAT, LAYER, BITS), ("b",)), {"x": np.array([[[[1], [2]], [[3], [4]]]], np.uint8)})
    assert values["f"].tolist() == [[1, 2, 3, 4]]
    assert values["s"].tolist() == [[10, 2]]
    assert values["b"].tolist() == [[1, 1]]
    assert all(value.dtype == np.int64 for value in values.values())


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (Graph((), (), ()), r"^a graph needs at least one input and one output$"),
        (Graph((X, X), (), ("x",)), r"^input 'x' is defined twice$"),
        (Graph((X,), (FLAT, FLAT), ("f",)), r"^two nodes are named 'flat'$"),
        (Graph((X,), (LAYER,), ("s",)), r"^node 'layer' reads 'f', which no input or earlier node defines$"),
        (Graph((X,), (Node("flat", Flatten(), ("x",), "x"),), ("x",)), r"^node 'flat' writes 'x', which is already"),
        (Graph((X,), (FLAT,), ("y",)), r"^output 'y' is defined by no input or node$"),
        (
            Graph((X,), (Node("layer", MatMul(WEIGHTS), ("x",), "s"),), ("s",)),
            r"^node 'layer' \(MatMul\): reads shape \(2, 2, 1\), but its weights want \(4,\)$",
        ),
        (
            Graph((X,), (Node("label", ArgMax(), ("x",), "y"),), ("y",)),
            r"\(ArgMax\): reads one score a class, not shape",
        ),
        (
            Graph((X,), (FLAT, Node("bits", Threshold(np.array([1, 2])), ("f",), "b")), ("b",)),
            r"\(Threshold\): thresholds must have 1 or 4 elements, not 2$",
        ),
    ],
)
def test_verify_names_the_node(graph, message):
    with pytest.raises(GraphError, match=message):
        verify(graph)


@pytest.mark.parametrize(
    ("feed", "error", "message"),
    [
        (None, ValueError, r"^input 'x' has no feed; feeds are \[\]$"),
        (np.zeros((2, 2, 1), int), ValueError, r"^feed of 'x' must have shape \(N, 2, 2, 1\), not \(2, 2, 1\)$"),
        (np.zeros((1, 2, 2, 1)), TypeError, r"^feed of 'x' must be an integer array, not float64$"),
        (np.full((1, 2, 2, 1), 10), ValueError, r"^'x' must lie in \[0, 9\], but spans \[10, 10\]$"),
    ],
)
def test_feeds_are_checked(feed, error, message):
    with pytest.raises(error, match=message):
        evaluate(Graph((X,), (FLAT,), ("f",)), {} if feed is None else {"x": feed})


def test_random_feeds_cover_the_range():
    binary = Value("y", TensorType((3,), BinaryType()))
    feeds = random_feeds(Graph((X, binary), (), ("x",)), samples=200, seed=1)
    assert set(np.unique(feeds["x"])) == set(range(10))
    assert set(np.unique(feeds["y"])) == {-1, 1}


@pytest.mark.parametrize(("lo", "hi", "width"), [(0, 0, 1), (0, 1, 1), (0, 255, 8), (-128, 127, 8), (0, 16, 5)])
def test_widths(lo, hi, width):
    assert IntType(lo, hi).width == width


def test_types_check_themselves():
    with pytest.raises(ValueError, match=r"^IntType needs lo <= hi, not lo=1 and hi=0$"):
        IntType(1, 0)
    with pytest.raises(ValueError, match=r"^sizes of a shape must be at least 1, not \(2, 0\)$"):
        TensorType((2, 0), IntType(0, 1))

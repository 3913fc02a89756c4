"""add_argmax and expose_sums: the two outputs a network may have."""

import numpy as np
import pytest

from bnnhw.compiler import FoldError, evaluate
from bnnhw.compiler.ir.ops import Affine, Relu
from bnnhw.compiler.passes import add_argmax, expose_sums, separate_sums

from .graphs import chain, linear, ops_of, vector


def test_the_label_is_the_lowest_of_equals():
    graph = add_argmax(chain(linear(3, 4), Affine(vector(0), vector(1))))
    assert evaluate(graph, {"x": np.ones((2, 4), np.int64)})["label"].tolist() == [0, 0]


def test_sums_lose_their_float_layers():
    graph = expose_sums(separate_sums(chain(linear(3, 4), Affine(vector(2), vector(1)), Relu())))
    assert ops_of(graph) == ["MatMul"]
    assert graph.outputs == ("v0.sum",)


def test_only_one_output_has_a_label():
    graph = chain(linear(3, 4))
    with pytest.raises(FoldError, match=r"^a label needs one output of scores; this graph has 2: \['v0', 'x'\]$"):
        add_argmax(type(graph)(graph.inputs, graph.nodes, ("v0", "x")))


def test_sums_need_a_layer():
    with pytest.raises(FoldError, match=r"^output 'v0' must be the scores of a layer with binary weights"):
        expose_sums(chain(Relu()))

"""add_argmax and expose_sums: what the outputs of a network become."""

from dataclasses import replace

import numpy as np
import pytest

from bnnhw.compiler import FoldError, evaluate
from bnnhw.compiler.ir.graph import verify
from bnnhw.compiler.ir.ops import Affine, BinaryConv2d, Conv, Flatten, MaxPool, Relu, Sign
from bnnhw.compiler.passes import add_argmax, expose_sums, fold_batch_norm, fold_input_threshold, separate_sums

from .graphs import chain, linear, ops_of, vector


def test_the_label_is_the_lowest_of_equals():
    graph = add_argmax(chain(linear(3, 4), Affine(vector(0), vector(1))))
    assert evaluate(graph, {"x": np.ones((2, 4), np.int64)})["label"].tolist() == [0, 0]


def test_sums_lose_their_float_layers():
    graph = expose_sums(separate_sums(chain(linear(3, 4), Affine(vector(2), vector(1)), Relu())))
    assert ops_of(graph) == ["MatMul"]
    assert graph.outputs == ("v0.sum",)


def test_each_output_of_scores_has_a_label_and_images_have_none():
    graph = chain(Flatten(), linear(3, 4), shape=(2, 2, 1))
    labelled = add_argmax(replace(graph, outputs=("v1", "x")))
    assert labelled.outputs == ("v1.label", "x")


def test_sums_of_several_outputs_are_exposed_and_bits_stay():
    graph = separate_sums(chain(linear(3, 4), Sign(), linear(2, 3), Affine(vector(2), vector(1))))
    exposed = expose_sums(replace(graph, outputs=("v1", "v3")))
    assert exposed.outputs == ("v1", "v2.sum")
    assert ops_of(exposed) == ["MatMul", "Affine", "Sign", "MatMul"]


def test_sums_that_are_an_output_and_read_stay_integers():
    graph = separate_sums(chain(linear(3, 4), Sign(), linear(2, 3)))
    integers = fold_input_threshold(expose_sums(replace(graph, outputs=("v0", "v2"))))
    assert integers.outputs == ("v0.sum", "v2.sum")
    assert ops_of(integers) == ["MatMul", "Threshold", "MatMul"]


def test_sums_that_are_an_output_may_be_pooled():
    layer = BinaryConv2d(Conv(np.ones((3, 1, 1, 2), np.int8)))
    graph = separate_sums(replace(chain(layer, MaxPool((2, 2), (2, 2)), Sign(), shape=(4, 4, 2)), outputs=("v0", "v2")))
    integers = fold_batch_norm(expose_sums(verify(graph)))
    assert integers.outputs == ("v0.sum", "v2")


def test_sums_need_a_layer():
    with pytest.raises(FoldError, match=r"^output 'v0' must be the scores of a layer with binary weights"):
        expose_sums(chain(Relu()))

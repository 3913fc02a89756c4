"""separate_sums: an integer product and a float affine in the place of each layer."""

import numpy as np

from bnnhw.compiler import evaluate, trace
from bnnhw.compiler.ir.ops import BinaryConv2d, BinaryLinear, Conv, MaxPool, Requantise
from bnnhw.compiler.passes import separate_sums

from .graphs import chain, linear, ops_of, vector


def test_the_value_keeps_its_name_and_bits():
    before = chain(BinaryLinear(linear(2, 4).weights, vector(0.1, -3), vector(1e-3, 7)))
    after = separate_sums(before)
    assert ops_of(after) == ["MatMul", "Affine"]
    feeds = {"x": np.array([[0, 1, 1, 0], [1, 1, 1, 1]])}
    np.testing.assert_array_equal(evaluate(before, feeds)["v0"], evaluate(after, feeds)["v0"])
    assert trace(after, feeds)["v0.sum"].dtype == np.int64


def test_both_divisions_of_a_layer_of_fixed_point_come_behind_its_pooling():
    """The one of what it reads, by 8, and the mere change to floats, before a layer that wants integers."""
    weights = np.ones((2, 1, 1, 1), np.int8)
    half = Requantise(np.array([1]), np.array([0]), 1, -8, 7, 3)
    layer = BinaryConv2d(Conv(weights), None, None)
    after = separate_sums(chain(half, layer, MaxPool((2, 2), (2, 2)), half, shape=(4, 4, 1), lo=0, hi=15))
    assert ops_of(after)[:4] == ["Operator", "Conv", "MaxPool", "Operator"]

"""separate_sums: an integer product and a float affine in the place of each layer."""

import numpy as np

from bnnhw.compiler import evaluate, trace
from bnnhw.compiler.ir.ops import BinaryLinear
from bnnhw.compiler.passes import separate_sums

from .graphs import chain, linear, ops_of, vector


def test_the_value_keeps_its_name_and_bits():
    before = chain(BinaryLinear(linear(2, 4).weights, vector(0.1, -3), vector(1e-3, 7)))
    after = separate_sums(before)
    assert ops_of(after) == ["MatMul", "Affine"]
    feeds = {"x": np.array([[0, 1, 1, 0], [1, 1, 1, 1]])}
    np.testing.assert_array_equal(evaluate(before, feeds)["v0"], evaluate(after, feeds)["v0"])
    assert trace(after, feeds)["v0.sum"].dtype == np.int64

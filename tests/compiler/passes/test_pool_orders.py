"""pool_sums_first and threshold_before_pool: max poolings before the floats, then behind the thresholds."""

import numpy as np
import pytest

from bnnhw.compiler import FoldError, evaluate
from bnnhw.compiler.ir.ops import BatchNorm, BinaryConv2d, Conv, Crop, MaxPool, Relu, Sign, Threshold
from bnnhw.compiler.passes import fold_batch_norm, pool_sums_first, separate_sums, threshold_before_pool

from .graphs import chain, ops_of, vector
from .test_fold_batch_norm import Square

SHAPE = (4, 4, 2)
IMAGES = {"x": np.random.default_rng(1).integers(0, 4, (50, *SHAPE))}


def conv() -> BinaryConv2d:
    weights = np.random.default_rng(0).integers(0, 2, (3, 2, 2, 2)) * 2 - 1
    return BinaryConv2d(Conv(weights.astype(np.int8), padding=(1, 1), pad_value=-1))


NORM = BatchNorm(1e-5, vector(1, 2, 3), vector(4, 4, 4), vector(1, -1, 0), vector(0, 0.5, 1))
"""Rising, falling, constant."""


def test_floats_come_behind_the_pooling_and_falling_channels_take_the_least():
    before = separate_sums(chain(conv(), NORM, MaxPool((2, 2), (1, 1)), Relu(), shape=SHAPE, hi=3))
    after = pool_sums_first(before)
    assert ops_of(after) == ["Conv", "MaxPool", "Affine", "BatchNorm", "Relu"]
    pool = after.nodes[1].op
    assert isinstance(pool, MaxPool)
    assert pool.minimum is not None
    assert pool.minimum.tolist() == [False, True, False]
    np.testing.assert_array_equal(evaluate(after, IMAGES)["v3"], evaluate(before, IMAGES)["v3"])


def test_a_channel_that_rises_and_falls_is_refused():
    graph = separate_sums(chain(conv(), Square(), MaxPool((2, 2), (2, 2)), shape=SHAPE, hi=3))
    with pytest.raises(FoldError, match=r"^layer 'n2': channel 0 rises and falls before it as its sum rises; only"):
        pool_sums_first(graph)


def test_thresholds_come_before_every_pooling():
    layers = [conv(), MaxPool((2, 2), (1, 1)), NORM, MaxPool((2, 1), (2, 1)), Sign()]
    before = separate_sums(chain(*layers, shape=SHAPE, hi=3))
    folded = fold_batch_norm(pool_sums_first(before))
    assert ops_of(folded) == ["Conv", "MaxPool", "MaxPool", "Threshold"]
    after = threshold_before_pool(folded)
    assert ops_of(after) == ["Conv", "Threshold", "MaxPool", "MaxPool"]
    assert isinstance(after.nodes[1].op, Threshold)
    for graph in (folded, after):
        np.testing.assert_array_equal(evaluate(graph, IMAGES)["v4"], evaluate(before, IMAGES)["v4"])


def test_thresholds_come_before_a_crop_and_what_it_leaves_out_is_bits():
    before = separate_sums(chain(conv(), NORM, Crop((1, 0), (0, 2)), Sign(), shape=SHAPE, hi=3))
    sums = pool_sums_first(before)
    assert ops_of(sums)[:2] == ["Conv", "Crop"]
    after = threshold_before_pool(fold_batch_norm(sums))
    assert ops_of(after) == ["Conv", "Threshold", "Crop"]
    for graph in (sums, after):
        np.testing.assert_array_equal(evaluate(graph, IMAGES)["v3"], evaluate(before, IMAGES)["v3"])

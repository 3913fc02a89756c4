"""fold_input_threshold: the least integer whose bit is +1."""

import numpy as np
import pytest

from bnnhw.compiler import evaluate
from bnnhw.compiler.ir.ops import InputThreshold, Sign, Threshold
from bnnhw.compiler.passes import fold_input_threshold

from .graphs import chain, linear, ops_of


@pytest.mark.parametrize(
    ("op", "lo", "hi", "threshold"),
    [
        (InputThreshold(127.5), 0, 255, 128),
        (InputThreshold(127.0), 0, 255, 127),
        (
            InputThreshold(np.nextafter(127.0, 128.0)),
            0,
            255,
            127,
        ),  # float32 rounds it to 127, and torch compares float32
        (InputThreshold(-1e9), 0, 255, 0),
        (InputThreshold(1e9), 0, 255, 256),
        (InputThreshold(0.0), -3, 3, 0),
        (Sign(), -3, 3, 0),
        (Sign(), 1, 3, 1),
    ],
)
def test_threshold(op, lo, hi, threshold):
    before = chain(op, shape=(1,), lo=lo, hi=hi)
    after = fold_input_threshold(before)
    assert isinstance(after.nodes[0].op, Threshold)
    assert after.nodes[0].op.thresholds.tolist() == [threshold]
    feeds = {"x": np.arange(lo, hi + 1)[:, None]}
    np.testing.assert_array_equal(evaluate(before, feeds)["v0"], evaluate(after, feeds)["v0"])


def test_signs_of_floats_stay():
    assert ops_of(fold_input_threshold(chain(linear(3, 4), Sign()))) == ["BinaryLinear", "Sign"]

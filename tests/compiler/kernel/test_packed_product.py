"""Several rows' sums in one float: exact at the greatest sums that fit, and beyond them in a larger float."""

import numpy as np
import pytest

from bnnhw.compiler.kernel.packed_product import PackedRows


@pytest.mark.parametrize(
    ("cols", "greatest", "fields", "float_type"),
    [
        (1, 1, 24, np.float32),
        (255, 1, 3, np.float32),
        (256, 1, 2, np.float32),
        (4095, 1, 2, np.float32),
        (4096, 1, 1, np.float32),
        (16, 255, 2, np.float32),
        (27, 255, 1, np.float32),
        (65_793, 255, 1, np.float32),
        (65_795, 255, 2, np.float64),
        (3, 2**31 - 1, 1, np.float64),
    ],
)
@pytest.mark.parametrize("rows", [1, 5])
def test_sums_are_exact(cols: int, greatest: int, fields: int, float_type: type, rows: int):
    rng = np.random.default_rng(0)
    weights = rng.choice(np.array([-1, 1], np.int8), (rows, cols))
    weights[0] = -1
    weights[-1] = 1
    codes = rng.integers(0, greatest + 1, (6, cols))
    codes[0], codes[1], codes[2] = 0, greatest, np.arange(cols) % (greatest + 1)
    packed = PackedRows(weights, greatest=greatest)
    assert (packed.fields, packed.float_type) == (fields, float_type)
    ones = np.count_nonzero(weights == 1, axis=1)
    np.testing.assert_array_equal(packed.sums(codes), greatest * ones - codes @ weights.T.astype(np.int64))


def test_no_inputs():
    assert PackedRows(np.ones((5, 9), np.int8), greatest=1).sums(np.zeros((0, 9), np.uint8)).shape == (0, 5)

"""The oracle's products and poolings: fast, and equal to their definitions, number by number in Python's integers."""

import numpy as np
import pytest

from bnnhw.compiler.ir.ops import Conv, MatMul, MaxPool, SumPool
from bnnhw.compiler.ir.ops.exact import exact_terms
from bnnhw.compiler.ir.types import IntType, TensorType

RNG = np.random.default_rng


def plus_minus(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.choice(np.array([-1, 1], np.int8), shape)


@pytest.mark.parametrize(
    ("greatest", "count", "kind"),
    [
        (1, 2**24, np.float32),
        (1, 2**24 + 1, np.float64),
        (2**16, 2**8, np.float32),
        (2**16 + 1, 2**8, np.float64),
        (2**40, 2**13, np.float64),
        (2**40, 2**13 + 1, np.int64),
        (0, 2**24 + 1, np.float64),  # as padding may be 1 or -1
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_are_made_in_the_fastest_exact_type(greatest, count, kind, sign):
    assert exact_terms(np.array([0, sign * greatest], np.int64), count=count).dtype == kind


@pytest.mark.parametrize(
    "greatest", [1, 255, 2**16 - 1, 2**20 + 1, 2**21, 2**24 + 1, 2**31, 2**48 + 1, 2**50, 2**55 + 1]
)
def test_matmul_at_every_bound(greatest):
    rng = RNG(greatest % 1000)
    x, weights = rng.integers(-greatest, greatest + 1, (5, 8)), plus_minus(rng, 4, 8)
    x[0], x[1] = greatest, weights[0].astype(np.int64) * greatest  # the sums of greatest magnitude
    expected = [[sum(int(a) * int(b) for a, b in zip(row, other, strict=True)) for other in weights] for row in x]
    sums = MatMul(weights).reference(x)
    assert sums.dtype == np.int64
    assert sums.tolist() == expected


CONVS = [
    {"kernel": (3, 3)},
    {"kernel": (2, 3), "stride": (2, 1), "padding": (1, 0), "pad_value": -1},
    {"kernel": (3, 2), "stride": (1, 2), "padding": (2, 1), "pad_value": 1, "groups": 2},
    {"kernel": (1, 1), "groups": 4},
]


@pytest.mark.parametrize("greatest", [0, 1, 2**16 - 1, 2**20 + 1, 2**40, 2**54])
@pytest.mark.parametrize("options", CONVS, ids=str)
def test_convolution_by_its_definition(options, greatest):
    rng, options = RNG(7), dict(options)
    kernel, groups = options.pop("kernel"), options.get("groups", 1)
    op = Conv(plus_minus(rng, 8, *kernel, 4 // groups), **options)
    x = rng.integers(-greatest, greatest + 1, (3, 5, 6, 4))
    (down, across), (sy, sx) = op.padding, op.stride
    edges = ((0, 0), (down, down), (across, across), (0, 0))
    padded = np.pad(x.astype(object), edges, constant_values=op.pad_value)
    found = op.reference(x)
    assert found.dtype == np.int64
    for n, i, j, row in np.ndindex(found.shape):
        group = row // (8 // groups)
        window = padded[n, i * sy : i * sy + kernel[0], j * sx : j * sx + kernel[1]]
        window = window[..., group * (4 // groups) : (group + 1) * (4 // groups)]
        assert found[n, i, j, row] == (window * op.weights[row].astype(object)).sum()


@pytest.mark.parametrize(("kernel", "stride"), [((1, 1), (1, 1)), ((2, 2), (2, 2)), ((3, 2), (1, 2)), ((1, 3), (2, 1))])
def test_poolings_by_their_definition(kernel, stride):
    x = RNG(3).integers(-100, 100, (2, 5, 6, 3))
    minimum = np.array([True, False, True])
    greatest, mixed = MaxPool(kernel, stride).reference(x), MaxPool(kernel, stride, minimum).reference(x)
    sums = SumPool(kernel, stride).reference(x.astype(np.int8))
    for n, i, j, c in np.ndindex(greatest.shape):
        top, left = i * stride[0], j * stride[1]
        window = x[n, top : top + kernel[0], left : left + kernel[1], c]
        assert greatest[n, i, j, c] == window.max()
        assert mixed[n, i, j, c] == (window.min() if minimum[c] else window.max())
        assert sums[n, i, j, c] == window.sum()


@pytest.mark.parametrize(("kernel", "stride", "padding"), [((3, 3), (2, 2), (1, 1)), ((2, 4), (1, 3), (0, 2))])
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32])
def test_windows_of_a_pooling_that_reach_beyond_the_image(kernel, stride, padding, dtype):
    x = RNG(4).integers(-100, 100, (2, 5, 6, 3)).astype(dtype)
    minimum = np.array([True, False, True])
    found = MaxPool(kernel, stride, minimum, padding=padding).reference(x)
    assert found.dtype == dtype
    for n, i, j, c in np.ndindex(found.shape):
        lines, columns = (
            range(max(0, at * step - beyond), at * step - beyond + size)
            for at, step, beyond, size in zip((i, j), stride, padding, kernel, strict=True)
        )
        window = x[n, lines.start : lines.stop, columns.start : columns.stop, c]
        assert found[n, i, j, c] == (window.min() if minimum[c] else window.max())


def test_padding_of_a_pooling_is_half_of_its_kernel_at_most():
    with pytest.raises(ValueError, match=r"^padding=\(0, 2\) must be half of the kernel \(3, 3\) at most$"):
        MaxPool((3, 3), (2, 2), padding=(0, 2))


def test_sums_of_rows_of_other_magnitudes_are_no_wider_than_they_can_be():
    rows = np.array([[300, -200], [1, -1], [2, 10]], np.int16)
    reached = rows.astype(np.int64) @ np.array([(a, b) for a in (-4, 3) for b in (-4, 3)]).T
    given = MatMul(rows).infer(TensorType((2,), IntType(-4, 3)))
    assert given == TensorType((3,), IntType(int(reached.min()), int(reached.max())))
    assert MatMul(rows * 0).infer(TensorType((2,), IntType(-4, 3))).element == IntType(0, 0)

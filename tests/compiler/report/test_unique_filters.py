"""Unique 2-D filters against counting by brute force, and the expectation against random weights."""

from itertools import product

import numpy as np
import pytest

from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.report.unique_filters import count_unique_filters


def random_conv(rows: int, kernel: tuple[int, int], channels: int, groups: int = 1, seed: int = 0) -> Conv:
    shape = (rows, *kernel, channels)
    return Conv(np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), shape), groups=groups)


@pytest.mark.parametrize(
    ("rows", "kernel", "channels", "groups"),
    [(24, (2, 2), 3, 1), (12, (2, 2), 2, 3), (5, (1, 1), 4, 1), (40, (1, 3), 2, 2), (9, (4, 3), 1, 1)],
)
def test_counts_as_brute_force(rows: int, kernel: tuple[int, int], channels: int, groups: int):
    op = random_conv(rows, kernel, channels, groups)
    unique = 0
    for group, channel in product(range(groups), range(channels)):
        seen: list[np.ndarray] = []
        for row in op.weights[group * rows // groups : (group + 1) * rows // groups, :, :, channel]:
            if not any((row == other).all() or (row == -other).all() for other in seen):
                seen.append(row)
        unique += len(seen)
    reuse = count_unique_filters(op)
    assert (reuse.filters, reuse.unique) == (rows * channels, unique)
    assert reuse.saved_share == pytest.approx(1 - unique / (rows * channels))


@pytest.mark.parametrize(("rows", "groups"), [(64, 1), (256, 1), (256, 2)])
def test_random_filters_are_as_expected(rows: int, groups: int):
    reuse = count_unique_filters(random_conv(rows, (3, 3), 64, groups))
    assert reuse.unique == pytest.approx(reuse.unique_if_random, rel=0.01)


def test_expectation_of_a_few_filters():
    """Two random filters of 3 weights are equal up to the sign in one case of four; large kernels are all unique."""
    assert count_unique_filters(random_conv(2, (1, 3), 1)).unique_if_random == pytest.approx(1.75)
    assert count_unique_filters(random_conv(30, (1, 1), 5)).unique_if_random == 5
    assert count_unique_filters(random_conv(30, (11, 11), 5)).unique_if_random == pytest.approx(150)


def test_equal_filters_are_one():
    weights = np.repeat(random_conv(1, (3, 3), 2).weights, 10, axis=0)
    weights[::2] *= -1
    reuse = count_unique_filters(Conv(weights))
    assert (reuse.filters, reuse.unique, reuse.saved_share) == (20, 2, 0.9)

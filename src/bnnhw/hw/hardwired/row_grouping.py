"""Which rows of a matrix are summed together, so that few LUTs do it.

Tests: tests/hw/hardwired/test_row_sums.py
"""

import random
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.targets import Fabric

from .adder_graph import difference_width
from .row_group import class_numbers, sum_bits, sum_classes

__all__ = ["choose_row_groups", "group_luts"]

LARGEST_GROUP = 8
"""Rows of the largest groups that are tried: a group has 2^(rows - 1) classes."""
SEARCHED_SIZES = 2
"""Group sizes that are searched: those that cost the least before."""
EXCHANGES = 6000
"""Exchanges of two rows that are tried for a group size."""


class _LutCounter:
    """Counts the LUTs of adders; a number is its greatest value."""

    def __init__(self, fabric: Fabric):
        self.fabric = fabric
        self.luts = 0

    def popcount(self, bits: Sequence[int]) -> int:
        self.luts += _popcount_luts(len(bits), self.fabric)
        return len(bits)

    def count(self, u: int, v: int, carry: int | None = None) -> int:
        total, luts = _sum_and_luts(u, v, carry or 0, self.fabric)
        self.luts += luts
        return total

    greatest = int


@cache
def _sum_and_luts(u: int, v: int, carry: int, fabric: Fabric) -> tuple[int, int]:
    """u + v + carry and the LUTs of that adder; a carry of 0 is none."""
    total = u + v + carry
    return total, fabric.adder_luts(u.bit_length(), v.bit_length(), bool(carry), total.bit_length())


@cache
def _popcount_luts(bits: int, fabric: Fabric) -> int:
    counter = _LutCounter(fabric)
    sum_bits((1,) * bits, counter.count)
    return counter.luts


def group_luts(weights: NDArray[np.int8], fabric: Fabric) -> int:
    """The LUTs of the sums of a group of rows, carry cells included."""
    rows, cols = weights.shape
    sizes = np.bincount(class_numbers(weights), minlength=1 << (rows - 1)).tolist()
    counter = _LutCounter(fabric)
    total, differences = sum_classes([(1,) * size for size in sizes], counter)
    assert total == cols
    for difference in differences:
        if difference is not None:
            width = difference_width(difference, cols)
            counter.luts += fabric.adder_luts(
                cols.bit_length() - 1, difference.bit_length(), False, width, subtract=True
            )
    return counter.luts


def choose_row_groups(weights: NDArray[np.int8], fabric: Fabric) -> list[list[int]]:
    """The rows of each group; the others of a group are compared with its first one.

    Groups of one size first hold the rows in their order. Then two rows at random change places whenever that costs no
    more. The same weights always give the same groups.
    """
    rows = len(weights)

    @cache  # of a few thousand groups, most of which are tried more than once
    def luts(*group: int) -> int:
        return group_luts(weights[list(group)], fabric)

    def total(groups: list[list[int]]) -> int:
        return sum(luts(*group) for group in groups)

    sizes = range(1, min(rows, LARGEST_GROUP) + 1)
    starts = [[list(range(first, min(rows, first + size))) for first in range(0, rows, size)] for size in sizes]
    starts.sort(key=total)
    return min((_exchange_rows(groups, luts) for groups in starts[:SEARCHED_SIZES]), key=total)


def _exchange_rows(groups: list[list[int]], luts: Callable[..., int]) -> list[list[int]]:
    """The groups after exchanges that cost no more, of rows of two groups or within one."""
    chance = random.Random(0)
    groups = [list(group) for group in groups]
    for _ in range(EXCHANGES):
        first, second = chance.randrange(len(groups)), chance.randrange(len(groups))
        a, b = chance.randrange(len(groups[first])), chance.randrange(len(groups[second]))
        changed = {first: list(groups[first]), second: list(groups[second])}
        changed[first][a], changed[second][b] = groups[second][b], groups[first][a]
        if first == second:
            changed[first][b] = groups[first][a]
        if sum(luts(*group) for group in changed.values()) <= sum(luts(*groups[index]) for index in changed):
            for index, group in changed.items():
                groups[index] = group
    return groups

"""Rows of +-1 weights that are summed together: their columns fall into classes, each of which is counted once.

With T the mismatches of an input with the first row, and D[i] those of them that lie in the columns in which row i
differs from the first one, row i has T - 2*D[i] + (number of these columns) mismatches. The columns that differ in the
same rows are a class. So T is the sum of all classes and D[i] the sum of some, and a tree of adders has most of the
sums that both need. This is distributed arithmetic turned round: tables of rows in place of tables of inputs.

Tests: tests/hw/hardwired/test_row_sums.py
"""

from bisect import insort_left
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.product.popcount_plan import plan_popcount

__all__ = ["Arithmetic", "class_numbers", "sum_bits", "sum_classes"]

Number = TypeVar("Number")


class Arithmetic(Protocol[Number]):
    """What `sum_classes` sums with: adders that are built, or only counted."""

    def popcount(self, bits: Sequence[Number]) -> Number:
        """The sum of one bit or more."""
        ...

    def count(self, u: Number, v: Number, carry: Number | None = None) -> Number:
        """u + v + carry, where `carry` is a bit."""
        ...

    def greatest(self, number: Number) -> int:
        """The greatest value of a number."""
        ...


def class_numbers(weights: NDArray[np.int8]) -> NDArray[np.int64]:
    """The class of each column: bit rows - 1 - i says whether row i differs from row 0. (cols,)"""
    differs = weights[1:] != weights[0]
    return (1 << np.arange(len(differs))[::-1]) @ differs


def sum_classes(
    classes: Sequence[Sequence[Number]], arithmetic: Arithmetic[Number]
) -> tuple[Number | None, list[Number | None]]:
    """T and D[1], D[2], .. of the bits of 2^(rows - 1) classes; None for the sum of no bits.

    From the last row on, D of the row is the sum of the odd classes; then each pair of an even and an odd class becomes
    one. An adder's carry input takes a bit for free, if it belongs where the sum goes: bits of the even class, which
    wait for it.
    """
    places = _carry_places(classes)
    waiting = [list(bits[:count]) for bits, count in zip(classes, places, strict=True)]
    sums = [
        arithmetic.popcount(bits[count:]) if len(bits) > count else None
        for bits, count in zip(classes, places, strict=True)
    ]
    differences: list[Number | None] = []
    while len(sums) > 1:
        differences.append(_sum_all([number for number in sums[1::2] if number is not None], arithmetic))
        waiting, places = waiting[::2], places[::2]
        merged: list[Number | None] = []
        for index, (even, odd) in enumerate(zip(sums[::2], sums[1::2], strict=True)):
            if odd is None:
                merged.append(even)
                continue
            places[index] -= 1
            bits = waiting[index]
            if even is not None:
                merged.append(arithmetic.count(even, odd, bits.pop() if bits else None))
            else:
                merged.append(arithmetic.count(odd, bits.pop()) if len(bits) > places[index] else odd)
        sums = merged
    return sums[0], differences[::-1]


def sum_bits(bits: Sequence[Number], count: Callable[[Number, Number, Number | None], Number]) -> Number:
    """The popcount of one bit or more by adders: count(u, v, carry) is u + v + carry."""
    numbers: list[Number] = []
    for addition in plan_popcount(len(bits)).nodes:
        u, v = (bits[index] if kind == "input" else numbers[index] for kind, index in addition.operands)
        numbers.append(count(u, v, None if addition.carry is None else bits[addition.carry]))
    return numbers[-1] if numbers else bits[0]


def _carry_places(classes: Sequence[Sequence[Number]]) -> list[int]:
    """For each class, how many of the pairs that it will be the even one of have an odd one."""
    places = [0] * len(classes)
    occupied = [len(bits) > 0 for bits in classes]
    step = 1
    while len(occupied) > 1:
        for pair, odd in enumerate(occupied[1::2]):
            places[2 * step * pair] += odd
        occupied = [even or odd for even, odd in zip(occupied[::2], occupied[1::2], strict=True)]
        step *= 2
    return places


def _sum_all(numbers: list[Number], arithmetic: Arithmetic[Number]) -> Number | None:
    """The sum of all numbers, small ones first; None for none."""
    numbers = sorted(numbers, key=arithmetic.greatest)
    while len(numbers) > 1:
        least, second, *numbers = numbers
        insort_left(numbers, arithmetic.count(second, least), key=arithmetic.greatest)
    return numbers[0] if numbers else None

"""Intervals of results hold every result."""

from itertools import product

import pytest

from bnnhw.hls.intervals import interval
from bnnhw.hls.program import MEANINGS, Instruction

SPANS = [(0, 0), (0, 5), (0, 15), (3, 9), (-1, 4), (-8, 7), (-9, -2), (-1, -1)]


@pytest.mark.parametrize("op", [op for op, meaning in MEANINGS.items() if meaning.arity == 2])
def test_of_two_integers(op: str):
    instruction = Instruction(op, (0, 1))
    for one, other in product(SPANS, SPANS):
        lo, hi = interval(instruction, [], [one, other])
        for a, b in product(range(one[0], one[1] + 1), range(other[0], other[1] + 1)):
            assert lo <= MEANINGS[op].apply(None, a, b) <= hi, (op, one, other, a, b)

"""The best closure against all sets."""

import random
from itertools import combinations

import pytest

from bnnhw.hls.scheduling.closure import best_closure


@pytest.mark.parametrize("seed", range(60))
def test_no_set_is_better_and_none_as_good_is_smaller(seed: int):
    rng = random.Random(seed)
    count = rng.randint(1, 8)
    profits = [rng.randint(-6, 6) for _ in range(count)]
    implications = [(rng.randrange(count), rng.randrange(count)) for _ in range(rng.randint(0, 12))]
    found = best_closure(profits, implications)
    closed = [
        set(some)
        for size in range(count + 1)
        for some in combinations(range(count), size)
        if all(b in some for a, b in implications if a in some)
    ]
    best = max(sum(profits[n] for n in some) for some in closed)
    assert found == next(some for some in closed if sum(profits[n] for n in some) == best)


def test_long_chains_are_no_recursion():
    length = 1100
    profits = [1] * length + [1 - length]
    chain = [(n, n + 1) for n in range(length)]
    assert best_closure(profits, chain) == set(range(length + 1))

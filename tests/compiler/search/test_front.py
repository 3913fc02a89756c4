"""The least weights by block RAMs."""

import numpy as np
import pytest

from bnnhw.compiler.search.front import shift, together

INF = np.inf
FRONTS = [
    ([0, INF, INF, INF], [0, INF, INF, INF]),
    ([5, 3, INF, 1], [4, 4, 2, INF]),
    ([INF, 3, 9, INF], [INF, INF, 7, 7]),
    ([INF] * 4, [1, 2, 3, 4]),
]


@pytest.mark.parametrize(("a", "b"), FRONTS)
def test_two_fronts_together(a: list[float], b: list[float]):
    weights, share = together(np.array(a, float), np.array(b, float))
    for ebr, (weight, own) in enumerate(zip(weights, share, strict=True)):
        assert weight == min(a[ebr - other] + b[other] for other in range(ebr + 1)) or more_for_nothing(b, ebr)
        assert own == -1 if np.isinf(weight) else weight == a[ebr - own] + b[own]


def more_for_nothing(b: list[float], ebr: int) -> bool:
    """Whether a front has block RAMs that make nothing lighter: these are left out."""
    return any(b[more] >= min(b[:more]) for more in range(1, ebr + 1))


def test_what_moves_up_leaves_nothing_behind():
    assert shift(np.array([1.0, 2.0, 3.0]), 1).tolist() == [INF, 1.0, 2.0]

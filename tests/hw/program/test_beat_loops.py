"""Loops of beats: which there are. What they count: tests/hw/program/test_pipeline.py."""

import pytest

from bnnhw.hw.program.beat_loops import plan_loops


@pytest.mark.parametrize(
    ("counters", "period", "beats", "loops"),
    [
        ([], 1, 12, []),
        ([], 12, 12, [(1, 12)]),
        ([(1, 3), (3, 4)], 12, 12, [(1, 3), (3, 4)]),  # one inside the other, and so the period
        ([(12, 5), (1, 3)], 4, 60, [(1, 3), (1, 4), (3, 4), (12, 5)]),
        ([(4, 3)], 1, 12, [(1, 4), (4, 3)]),
        ([(4, 8)], 1, 12, [(1, 4), (4, 3)]),  # it does not come further
        ([(12, 8), (20, 2)], 1, 12, []),  # all in vain
        ([(1, 5)], 1, 12, [(1, 5), (1, 12)]),  # it begins anew with each frame
        ([(2, 4), (1, 7)], 3, 12, [(1, 2), (1, 3), (1, 7), (1, 12), (2, 4)]),
    ],
)
def test_loops(counters, period, beats, loops):
    assert plan_loops(counters, period=period, beats=beats) == loops

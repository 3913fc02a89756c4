"""Scans and reductions: what is known of their states is sound, and exact where few are reached; along pixels, rows and
frames; without a bound they are refused."""

import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls import reach
from bnnhw.hls.reach import bounded, parts_of, reach_of, tried
from bnnhw.hls.scan import OVER, Over

SPAN = (-2, 3)
FUNCTIONS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "sum": (0, lambda s, x: (s + x, s - x)),
    "clipped sum": (5, lambda s, x: (np.clip(s + x, -4, 7), s * x)),
    "smoothed": (100, lambda s, x: (s + x - (s >> 3), s >> 3)),
    "greatest": (-9, lambda s, x: (np.maximum(s, x), s)),
    "as long as": (0, lambda s, x: (np.where(x > 0, s + 1, 0), s)),
    "wrapped": (3, lambda s, x: ((s * 5 + x) & 15, s ^ x)),
    "a condition": (0, lambda s, x: (x > s, ~s + x)),
    "by turns": (1, lambda s, x: (1 - s, s * x)),
    "the one before": (7, lambda s, x: (x, s)),
    "sum and count": ((0, 0), lambda s, x: ((s[0] + x, s[1] + (x > 0)), s[0] - s[1])),
    "queue": ((0, 0, 0), lambda s, x: (np.stack([x, s[0], s[1]]), s[2] + x)),
    "chosen": ((0, 9), lambda s, x: ((np.where(x > s[0], x, s[0]), np.minimum(s[1], x)), (s[0], s[1]))),
}
FEW = [name for name, (init, _) in FUNCTIONS.items() if isinstance(init, int)]


def traced(name: str, over: Over, *, ends: bool = False):
    init, function = FUNCTIONS[name]
    if ends:
        return hls.reduction(over=over, init=init)(lambda s, x: function(s, x)[0])
    return hls.scan(over=over, init=init)(function)


@pytest.mark.parametrize(("name", "over", "ends"), [*product(FUNCTIONS, OVER, (False, True))])
def test_numpy_and_the_program_agree_within_their_range(name: str, over: Over, ends: bool):
    operator = traced(name, over, ends=ends)
    images = np.random.default_rng(0).integers(SPAN[0], SPAN[1] + 1, (30, 3, 5, 4))
    images[0], images[1] = SPAN
    expected = operator(images)
    data = operator.traced(4)
    np.testing.assert_array_equal(data.run(images), expected)
    assert expected.dtype == np.int64
    assert data.shape((3, 5, 4)) == expected.shape[1:]
    least, greatest = data.range(SPAN, 1, (3, 5, 4))
    assert least <= expected.min()
    assert expected.max() <= greatest


@pytest.mark.parametrize("part", [1, reach.PART_WORK])
@pytest.mark.parametrize("name", FEW)
def test_ranges_are_those_of_all_inputs(name: str, part: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reach, "PART_WORK", part)
    reach_of.cache_clear()
    operator = traced(name, "row")
    program = operator.traced().program
    rows = np.array([*product(range(SPAN[0], SPAN[1] + 1), repeat=4)])
    results = operator(rows[:, None, :, None])
    assert operator.traced().range(SPAN, 1, (1, 4, 1)) == (results.min(), results.max())
    states = [np.full(len(rows), FUNCTIONS[name][0])]
    for x in rows.T[:-1]:
        states.append(np.asarray(FUNCTIONS[name][1](states[-1], x)[0], np.int64))
    assert reach_of(program, SPAN, 1, 4).states == ((np.min(states), np.max(states)),)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bounds_hold_what_is_reached(name: str):
    program = traced(name, "row").traced().program
    for steps in (1, 2, 7) if name == "smoothed" else (1, 2, 7, 600):
        reached, known = reach_of(program, SPAN, 1, steps), bounded(program, SPAN, steps)
        for (least, greatest), (lo, hi) in zip(reached.states, known.states, strict=True):
            assert lo <= least
            assert greatest <= hi


def test_a_sum_of_a_long_row_grows_by_what_is_added():
    program = hls.scan()(lambda total, x: (total + x, total)).traced().program
    assert reach_of(program, (0, 4095), 1, 100_000).states == ((0, 4095 * 99_999),)


@pytest.mark.parametrize(
    "function",
    [
        lambda s, x: (s * 2 + x, x),
        lambda s, x: (s * s + x, x),
        lambda s, x: (x - s, x),
        lambda s, x: (s + (s >> 1) + 1, x),
        lambda s, x: (np.where(x > 0, s << 1, s), x),
    ],
)
def test_states_without_a_bound_are_refused(function: Callable[..., Any]):
    operator = hls.scan(over="frame", init=1000)(function)
    with pytest.raises(
        hls.OperatorError, match=r"^test_reach\.py:\d+: (the state may grow without bound|a state spans)"
    ):
        operator.traced().range((0, 4095), 1, (480, 640, 1))


@pytest.mark.parametrize(
    "function",
    [lambda s, x: (s * s + x, x), lambda s, x: (x * s + 3, x), lambda s, x: ((5 * s + 77 * x) & 0xFFFFFF, x)],
)
@pytest.mark.parametrize("span", [(0, 3), (-8, 7), (0, 255)])
def test_too_many_states_are_told_at_once(function: Callable[..., Any], span: tuple[int, int]):
    program = hls.scan(over="row", init=1)(function).traced().program
    begin = time.process_time()
    assert tried(program, span, 1, 640) is None
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("first", [1, 2, 7])
def test_parts_hold_all(first: int):
    for count in range(20):
        parts = [*parts_of(np.arange(count), first)]
        assert [each for part in parts for each in part] == [*range(count)]
        assert not parts or len(parts[0]) == min(first, count)

"""Scans and reductions: what their states and results can be is what they are, by trying all rows; where no bound is
found, it is told."""

from itertools import product

import numpy as np
import pytest

from bnnhw import hls

SPAN = (-2, 1)
LENGTH = 6
ROWS = np.array([*product(range(SPAN[0], SPAN[1] + 1), repeat=LENGTH)])[:, None, :, None]
SCANS = {
    "sum": (lambda s, x: (s + x, s), 0),
    "leaky": (lambda s, x: (s + x - (s >> 1), s * 3), 5),
    "clipped": (lambda s, x: (np.clip(s + x, -3, 2), s - x), 0),
    "wrapping": (lambda s, x: ((s + x) & 7, s ^ x), 3),
    "greatest": (lambda s, x: (np.maximum(s, x), x >= s), -9),
    "count": (lambda s, x: (np.where(x > 0, s + 1, 0), s), 0),
    "two": (lambda s, x: ((s[1], x), s[0] - x), (0, 0)),
    "sum and count": (lambda s, x: ((s[0] + x, s[1] + 1), (s[0], s[1] * s[1])), (0, 0)),
    "constant": (lambda s, x: (s, x + s), 4),
}
EXACT = {"sum", "clipped", "wrapping", "greatest", "count", "two", "constant"}


@pytest.mark.parametrize("name", SCANS)
def test_ranges_hold_all_that_happens(name: str):
    function, init = SCANS[name]
    operator = hls.scan(over="row", init=init)(function)
    results = operator(ROWS)
    np.testing.assert_array_equal(operator.traced().run(ROWS), results)
    lo, hi = operator.traced().range(SPAN, 1, (1, LENGTH, 1))
    assert lo <= results.min()
    assert results.max() <= hi
    if name in EXACT:
        assert (lo, hi) == (results.min(), results.max())


@pytest.mark.parametrize(("over", "count"), [("pixel", 3), ("row", 5), ("frame", 20)])
def test_a_sum_is_bounded_by_how_many_there_are(over, count: int):
    total = hls.reduction(over=over, init=0)(lambda state, x: state + x)
    assert total.traced().range((0, 255), 1, (4, 5, 3)) == (0, 255 * count)


LONG = {
    "sum": (lambda s, x: s + x, 0, (0, 255 * 640 * 480)),
    "number of bright ones": (lambda s, x: s + (x > 200), 0, (0, 640 * 480)),
    "longest": (lambda s, x: np.where(x > 200, s + 1, 0), 0, (0, 640 * 480)),
    "two": (lambda s, x: (np.maximum(s[0], x), s[1] + x), (0, 0), (0, 255 * 640 * 480)),
}


@pytest.mark.parametrize("name", LONG)
def test_what_grows_over_a_large_frame_is_bounded(name: str):
    function, init, expected = LONG[name]
    lo, hi = hls.reduction(over="frame", init=init)(function).traced().range((0, 255), 1, (480, 640, 1))
    assert lo <= expected[0]
    assert expected[1] <= hi <= expected[1] + 1024


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, x: (s * 3 + x, s), r"a state spans 3 to \d+, more than 62 bits; clip it"),
        (lambda s, x: (s * s + 2, s), r"a state spans 1 to \d+, more than 62 bits; clip it"),
        (lambda s, x: (s + (s >> 9) + x, s), r"a state spans -\d+ to \d+, more than 62 bits; clip it"),
        (
            lambda s, x: ((s[1], s[0] + x), s[0]),
            "the state may grow without bound in 307199 steps; clip it",
        ),
    ],
)
def test_a_state_without_a_bound_is_refused(function, message: str):
    with pytest.raises(hls.OperatorError, match=rf"^test_scan\.py:\d+: {message}"):
        hls.scan(over="frame", init=(1, 1) if "without" in message else 1)(function).traced().range(
            (0, 255), 1, (480, 640, 1)
        )


@pytest.mark.parametrize(
    ("function", "init", "message"),
    [
        (lambda s, x: s + x, 0, "a scan must return two things, the next state and the result"),
        (lambda s, x: ((s, x), s), 0, r"the next state has 2 numbers, and init=0 1"),
        (lambda s, x: (s[0], x), (0, 1), r"the next state has 1 numbers, and init=\(0, 1\) 2"),
    ],
)
def test_a_scan_returns_its_state(function, init, message: str):
    with pytest.raises(hls.OperatorError, match=message):
        hls.scan(over="row", init=init)(function).traced()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": "column"}, "over='column' must be one of pixel, row, frame"),
        ({"init": ()}, r"init=\(\) must be an integer, or a row of them"),
        ({"init": 0.5}, r"init=0.5 must be an integer, or a row of them"),
    ],
)
def test_what_a_scan_is_given(options: dict, message: str):
    with pytest.raises(hls.OperatorError, match=rf"^test_scan\.py:\d+: {message}$"):
        hls.scan(**options)(lambda s, x: (s, x))

"""Operators that have no hardware, of all kinds: each error names the author's file and line, what is amiss, and what
to write instead."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls.ranges import with_ranges
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.scheduling.placing import TooFastError
from bnnhw.hls.scheduling.schedule import schedule
from bnnhw.hw.targets.ecp5 import ECP5

SHORT, WIDE = hls.table([1, 2, 3]), hls.table(np.arange(256) * 4000)


def branching(x):
    if x > 0:
        return x
    return -x


def late(x):
    y = x + 1
    z = y * 2
    return np.sqrt(z)


POINTWISE: dict[str, tuple[Callable[..., Any], str]] = {
    "if": (branching, "if, and, or, not, min and max of a value has no hardware; write np.where(c, a, b), &, |, ~,"),
    "and": (lambda x: (x > 1) and (x < 5), "if, and, or, not, min and max of a value has no hardware; write np.where"),
    "/": (lambda x: x / 2, "/, which makes fractions, has no hardware; write x // 2**k, or (x * a) >> b"),
    "float": (lambda x: x * 0.3, "0.3 is a float, and hardware computes with integers; scale it, as in (77 * x + 128)"),
    "list": (lambda x: [1, 2, 3][x], "a list or an array indexed by a value has no hardware; write hls.table(entries)"),
    "table": (
        lambda x: SHORT[x],
        "the index spans 0 to 255, and the table has entries 0 to 2; clip the index, or give",
    ),
    "shift": (lambda x: 1 << x, "a shift by a value has no hardware; write a table, or np.where of shifts"),
    "shift of both": (lambda x: x >> (x & 3), "a shift is by a number from 0 to 62 that does not change; choose"),
    "product": (
        lambda x: (WIDE[x] + x) * (WIDE[x] - x),
        "a product has a factor of 20 bits, and a multiplier takes 18",
    ),
    "overflow": (
        lambda x: (x << 32) * (x << 32),
        "a value spans 0 to 1199499533392963593830400, more than 62 bits; clip",
    ),
    "function": (late, "np.sqrt has no hardware; write one of absolute, add, "),
    "attribute": (
        lambda x: x.real,
        "'Value' object has no attribute 'real'; what an operator reads has no numbers yet",
    ),
}


@pytest.mark.parametrize("name", POINTWISE)
def test_elements(name: str):
    function, message = POINTWISE[name]
    refuses(lambda: scheduled(function, 1e8), message)


def scheduled(function: Callable[..., Any], clock_hz: float) -> None:
    ranged = with_ranges(hls.pointwise(function).program, [(0, 255)])
    check_sizes(ranged)
    schedule(ranged, clock_hz=clock_hz, delays=ECP5.fabric.delays)


def test_the_line_is_that_of_what_is_wrong():
    first = late.__code__.co_firstlineno
    with pytest.raises(hls.OperatorError, match=rf"^test_wrong_operators\.py:{first + 3}: "):
        hls.pointwise(late).traced()


OTHERS: dict[str, tuple[Callable[[], Any], str]] = {
    "no axis": (
        lambda: hls.pixelwise(lambda pixel: pixel.sum()).traced(3),
        "a reduction must name its axis, such as axis=0, or axis=(0, 1) of a window; the last axes are those of",
    ),
    "the row's axis": (
        lambda: hls.pixelwise(lambda pixel: np.sort(pixel)[0]).traced(3),
        "what is computed for a pixel depends on other pixels, or on how many there are; the last 3 axes are",
    ),
    "array": (
        lambda: hls.pixelwise(lambda pixel: np.arange(9)[pixel[0]]).traced(3),
        "arrays used as indices must be of integer (or boolean) type; what an operator reads has no numbers yet",
    ),
    "results of other shapes": (
        lambda: hls.window(3, 3)(lambda w: (w[0, 0], w[0])).traced(1),
        "what is returned has 5 axes, where the pixels have 4, the last ones of what comes in: return these, a tuple",
    ),
    "nothing": (lambda: hls.pointwise(lambda x: None).traced(), "None is a NoneType, and hardware computes with"),
    "arguments": (
        lambda: hls.window(3, 3, phase=(2, 2))(lambda w: w[0, 0]).traced(1),
        "<lambda> must take 3, (w, row, column), and not 1",
    ),
    "phases of several results": (
        lambda: hls.window(1, 1, phase=(2, 1))(lambda w, row, column: (w[0, 0],) * (1 + row)).traced(1),
        "2 results in phase (1, 0), and 1 in others",
    ),
    "parameters": (
        lambda: hls.pointwise(gain=[1, 2])(lambda x, gain: x * gain).traced(3),
        "<lambda> has 2 values of parameter gain for 3 channels",
    ),
    "channels": (
        lambda: hls.pixelwise(lambda pixel: pixel[0]).traced(),
        "<lambda> must be told the number of channels, as in channels=3",
    ),
    "border": (
        lambda: hls.window(3, 3, border="wrap"),  # pyright: ignore[reportArgumentType]
        "border='wrap' must be one of constant, edge, reflect, symmetric",
    ),
    "padding": (
        lambda: hls.window(3, 3, padding=3),
        "padding=((3, 3), (3, 3)) must be at least 0 and less than the kernel, (3, 3)",
    ),
    "over": (lambda: hls.scan(over="column"), "over='column' must be one of pixel, row, frame"),  # pyright: ignore
    "init": (lambda: hls.reduction(init=0.5), "init=0.5 must be an integer, or a row of them"),  # pyright: ignore
    "no bound": (
        lambda: hls.scan(init=1)(lambda state, x: (state * 2 + x, x)).traced().range((0, 255), 1, (480, 640, 1)),
        "a state spans ",
    ),
    "no bound that shows": (
        lambda: hls.scan(init=1)(lambda state, x: (x - state, x)).traced().range((0, 255), 1, (480, 640, 1)),
        "the state may grow without bound in 639 steps; clip it, as in np.clip(state, lo, hi)",
    ),
    "no next state": (
        lambda: hls.scan()(lambda state, x: state + x).traced(),
        "a scan must return two things, the next state and the result",
    ),
    "states": (
        lambda: hls.scan(init=(0, 0))(lambda state, x: (state[0] + x, x)).traced(),
        "the next state has 1 numbers, and init=(0, 0) 2",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds(name: str):
    refuses(*OTHERS[name])


def refuses(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(hls.OperatorError, match=rf"^test_wrong_operators\.py:\d+: {re.escape(message)}"):
        call()


@pytest.mark.parametrize(
    "function", [lambda x: x + (x << 30) * 5 - (x >> 1), lambda x: WIDE[x] + x * x, lambda x: np.where(x > 5, x * x, 3)]
)
def test_a_clock_that_works_is_one_at_which_the_whole_operator_does(function: Callable[..., Any]):
    for mhz in (400, 1000):
        with pytest.raises(TooFastError, match=r"^test_wrong_operators\.py:\d+: .* takes .* MHz works") as refused:
            scheduled(function, mhz * 1e6)
        scheduled(function, refused.value.mhz * 1e6)

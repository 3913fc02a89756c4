"""Operators by their own function and by what was written down of it; and what has no hardware."""

import re

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls.program import run
from bnnhw.hls.ranges import with_codes, with_ranges
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.stored import from_integers, to_integers

from .functions import random_function

SPANS = [(0, 255), (-128, 127), (0, 15), (-2, 1), (-70_000, 70_000)]


@pytest.mark.parametrize("seed", range(60))
def test_numpy_and_the_program_agree_whatever_is_known_of_ranges(seed: int):
    lo, hi = SPANS[seed % len(SPANS)]
    operator = hls.pointwise(random_function(seed))
    x = np.unique(np.random.default_rng(seed).integers(lo, hi + 1, 2000))
    expected = operator(x)
    assert (run(operator.program, [x])[0] == expected).all()
    ranged = with_ranges(operator.program, [(lo, hi)])
    assert (run(ranged.program, [x])[0] == expected).all()
    least, greatest = ranged.result
    assert least <= expected.min()
    assert expected.max() <= greatest
    coded = with_codes(operator.program, (lo, hi), 1)
    assert (run(coded.program, [x - lo])[0] == expected - least).all()
    assert coded.result == (0, greatest - least)


def test_ranges_of_few_inputs_are_exact():
    ranged = with_ranges(hls.pointwise(lambda x: (x * x * 3 + 1) % 16).program, [(-20, 20)])
    x = np.arange(-20, 21)
    results = (x * x * 3 + 1) % 16
    assert ranged.result == (results.min(), results.max())


def test_equal_integers_are_one():
    operator = hls.pointwise(lambda x: np.where(x >= 0, abs(x), -x) - np.maximum(x, -x))
    assert len(with_ranges(operator.program, [(-100, 100)]).program.instructions) == 2  # the input, and 0


def test_files_hold_instructions():
    for seed in range(30):
        program = hls.pointwise(random_function(seed)).program
        assert from_integers(to_integers(program)) == program


@pytest.mark.parametrize(
    ("integers", "message"),
    [
        ([], "the instructions end before they are whole"),
        ([1, 99, 0, 1, 0], "the instructions name 99 where only 0 to 14 are known"),
        ([2, 0, 1, 0, 2, 0, 1, 0, 1, 1], "the instructions name 1 where only 0 to 0 are known"),
        ([1, 0, 1, 0, 1, 0, 0, 7], "the instructions are followed by something else"),
        ([1, 0, 1, 0, 1, 0, 7], "the instructions end before they are whole"),
        ([1, 0, 1, 0, 1, 0, 1, 3, 0], r"the instructions read states \[\], and there are 1"),
        ([1, 0, 1, 0, 0], "the instructions are followed by something else, or make nothing"),
        ([1, 0, 1, 3, 1, 0], r"the instructions read inputs \[3\], which must be numbered from 0 on"),
        ([2, 0, 1, 0, 5, 0, 1, 99, 1, 1], "instruction 1 shifts by 99; it must be by 0 to 62"),
        ([2, 0, 1, 0, 13, 0, 0, 1, 1], "instruction 1, table, has 0 attributes"),
        ([1, 0, 1, 0, -5, 0], "the instructions are followed by something else, or make nothing"),
    ],
)
def test_files_of_strangers_are_checked(integers: list[int], message: str):
    with pytest.raises(hls.OperatorError, match=f"^{message}"):
        from_integers(integers)


def of(function) -> None:
    with_ranges(hls.pointwise(function).program, [(-100, 100)])


def branching(x):
    if x > 0:
        return x
    return -x


TABLE, LONG = hls.table([1, 2, 3]), hls.table(np.arange(2**15))
WRONG = {
    "if": (branching, "if, and, or, not, min and max of a value has no hardware; write np.where"),
    "and": (lambda x: x > 0 and x < 5, "if, and, or, not, min and max of a value has no hardware"),
    "min": (lambda x: min(x, 5), "if, and, or, not, min and max of a value has no hardware"),
    "fraction": (lambda x: x / 2, "/, which makes fractions, has no hardware; write x // 2"),
    "float": (lambda x: x * 0.3, "0.3 is a float, and hardware computes with integers; scale it"),
    "float function": (lambda x: np.sqrt(x), "np.sqrt has no hardware; write one of absolute, "),
    "sum": (lambda x: np.median(x), "np.median has no hardware; write np.where, np.clip"),
    "array": (
        lambda x: np.arange(5)[x],
        "only integers, slices .* has no numbers yet, .* hls.table.entries..x. where a value",
    ),
    "list": (lambda x: [1, 2, 3][x], "a list or an array indexed by a value has no hardware; write hls.table"),
    "table too short": (lambda x: TABLE[x], "the index spans -100 to 100, and the table has entries 0 to 2; clip"),
    "shift by a value": (lambda x: 1 << x, "a shift by a value has no hardware; write a table"),
    "shift of a value by itself": (lambda x: x >> x, "a shift is by a number from 0 to 62 that does not change"),
    "division by 3": (lambda x: x // 3, "// is by a power of two, not 3; write (x * round(2**16 / d)) >> 16"),
    "power": (lambda x: x**2, "** has no hardware; write x * x"),
    "two conditions": (lambda x: (x > 0) + (x < 5), "+ and - of two conditions are OR and an error in numpy"),
    "overflow": (lambda x: (x << 40) * (x << 40), "a value spans .*, more than 62 bits; clip it before"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_hardware_is_named_with_its_line_and_a_remedy(name: str):
    function, message = WRONG[name]
    pattern = rf"^test_operator\.py:\d+: {message if '.*' in message else re.escape(message)}"
    with pytest.raises(hls.OperatorError, match=pattern):
        of(function)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: LONG[x & 32767],
            "a table has 32768 entries, and a block RAM 16384; shift the index, or choose between",
        ),
        (lambda x: (x << 10) * x, "a product has a factor of 28 bits, and a multiplier takes 18; shift or clip it"),
    ],
)
def test_what_no_primitive_holds_is_named(function, message: str):
    ranged = with_ranges(hls.pointwise(function).program, [(-100_000, 100_000)])
    with pytest.raises(hls.OperatorError, match=rf"^test_operator\.py:\d+: {message}"):
        check_sizes(ranged)


def test_an_operator_reads_what_its_kind_gives():
    with pytest.raises(hls.OperatorError, match=r"^test_operator\.py:\d+: add must take 1, \(pixel\), and not 2$"):
        hls.pixelwise(add).traced(3)


def add(x, y):
    return x + y


def test_the_reference_computes_with_integers():
    with pytest.raises(hls.OperatorError, match=r"^<lambda> computes with integers, not float64; round x$"):
        hls.pointwise(lambda x: x)(0.5)


@pytest.mark.parametrize("entries", [[0.5, 1.5], [[1, 2]], []])
def test_tables_are_integers(entries):
    with pytest.raises(hls.OperatorError, match=r"^test_operator\.py:\d+: a table must be one axis of integers"):
        hls.table(entries)

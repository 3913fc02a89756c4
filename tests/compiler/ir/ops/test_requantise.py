"""Requantise: its meaning against Python's integers, and as a program of integers and a division."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler.ir.ops import Divide, Operator, Requantise
from bnnhw.compiler.ir.types import FloatType, IntType, QuotientType, TensorType

CHANNELS = 3


def made(seed: int, *, factors: int = CHANNELS, offsets: int = CHANNELS, **changes: Any) -> Requantise:
    """Of any factors and offsets; a third of the seeds has even ones, which a shift takes out."""
    generator = np.random.default_rng(seed)
    shift = int(generator.integers(0, 25))
    even = 8 if seed % 3 == 0 else 1
    fields = {
        "factor": generator.integers(-(2**17) // even + 1, 2**17 // even, factors) * even,
        "offset": generator.integers(-(2 ** (shift + 19)), 2 ** (shift + 19), offsets),
        "shift": shift,
        "lo": -int(generator.integers(1, 2**24)),
        "hi": int(generator.integers(1, 2**24)),
        "exponent": int(generator.integers(0, 16)),
    }
    return Requantise(**fields | changes)


def expected(op: Requantise, x: int, channel: int, divisor: int = 1) -> float:
    """Of the integer x over `divisor`."""
    a, b = (int(each[channel % len(each)]) for each in (op.factor, op.offset))
    return max(op.lo, min(op.hi, (a * x + b * divisor) // (divisor << op.shift))) / 2**op.exponent


@pytest.mark.parametrize(("factors", "offsets"), [(1, 1), (1, CHANNELS), (CHANNELS, 1), (CHANNELS, CHANNELS)])
@pytest.mark.parametrize("divisor", [1, 4])
@pytest.mark.parametrize("bound", [1, 200, 2**20])
@pytest.mark.parametrize("seed", range(3))
def test_reference_and_program_are_the_formula(seed: int, bound: int, divisor: int, factors: int, offsets: int) -> None:
    op = made(seed, factors=factors, offsets=offsets)
    x = np.random.default_rng(seed).integers(-bound, bound + 1, (40, 2, 2, CHANNELS))
    wanted = [expected(op, int(each), index[-1], divisor) for index, each in np.ndenumerate(x)]
    assert op.reference(x / divisor).ravel().tolist() == wanted
    separated = op.separated(TensorType((2, 2, CHANNELS), IntType(-bound, bound)), divisor)
    program, (divide,) = separated.exact, separated.floats
    assert isinstance(program, Operator)
    assert isinstance(divide, Divide)
    assert divide.reference(program.reference(x)).ravel().tolist() == wanted


def test_what_it_gives_are_integers_over_a_power_of_two() -> None:
    given = made(1, lo=-5, hi=9, exponent=3).infer(TensorType((4, 4, CHANNELS), IntType(-9, 9)))
    assert given == TensorType((4, 4, CHANNELS), QuotientType(IntType(-5, 9), 8))


def vector(*values: int) -> Any:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: made(1, factor=vector(1, 2**17, 3)), r"^factor must be below 2\^17, but channel 1 has 131072$"),
        (
            lambda: made(1, offset=vector(0, 0, -(2**44))),
            r"^offset must be below 2\^44, but channel 2 has -17592186044416$",
        ),
        (lambda: made(1, factor=np.ones(3, np.int32)), r"^factor must be an int64 vector, not int32 of shape \(3,\)$"),
        (lambda: made(1, factors=2, offsets=3), r"offset"),
        (lambda: made(1, shift=33), r"^shift=33 must lie between 0 and 32$"),
        (lambda: made(1, exponent=-1), r"^exponent=-1 must lie between 0 and 15$"),
        (lambda: made(1, lo=3, hi=2), r"^lo=3 and hi=2 must rise and lie within 2\^24, float32's integers$"),
        (lambda: made(1).infer(TensorType((4, 4, 2), FloatType())), r"factor"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("divisor", [3, 9, 36, 49 * 2**4, 225])
@pytest.mark.parametrize(("exponent", "bits"), [(0, 4), (4, 12), (11, 16)])
def test_averages_of_any_number_are_rounded_as_torch_does(divisor: int, exponent: int, bits: int) -> None:
    """All sums that there can be, of values that FixedPoint rounds."""
    half = 2 ** (bits - 1)
    op = Requantise(vector(2 ** (exponent + 1)), vector(1), 1, -half, half - 1, exponent)
    sums = np.arange(-20_000, 20_001)
    integers = TensorType((1,), IntType(-20_000, 20_000))
    assert op.takes(integers, divisor)
    separated = op.separated(integers, divisor)
    wanted = [max(-half, min(half - 1, (2 * int(x) * 2**exponent + divisor) // (2 * divisor))) for x in sums]
    assert separated.exact.reference(sums[:, np.newaxis]).ravel().tolist() == wanted
    quotients = Divide(divisor).reference(sums)
    assert op.reference(quotients).tolist() == (np.array(wanted) / 2**exponent).tolist()


def test_quotients_that_are_rounded_over_a_floor_are_not_taken() -> None:
    """Where nothing is clipped, half a step of float32 at 80 is more than what lies between quotients and floors."""
    op = Requantise(vector(2**12), vector(1), 1, -(2**24), 2**24, 11)
    assert op.takes(TensorType((1,), IntType(0, 1000)), 225)
    assert op.takes(TensorType((1,), IntType(0, 20_000)), 256)
    assert not op.takes(TensorType((1,), IntType(0, 20_000)), 225)
    two_lines = Requantise(vector(1, 2), vector(0), 0, -9, 9, 0)
    assert not two_lines.takes(TensorType((2,), IntType(0, 5)), 3)

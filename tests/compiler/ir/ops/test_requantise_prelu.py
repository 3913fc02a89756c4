"""Bent lines of values of fixed point: against the formula in floats, and as integers and a division."""

from dataclasses import replace

import numpy as np
import pytest

from bnnhw.compiler.ir.ops import RequantisePRelu
from bnnhw.compiler.ir.types import IntType, TensorType

OP = RequantisePRelu(
    knee=np.array([-3, 0, 8]), slope=np.array([1, 0, -2]), offset=np.array([2, 6, 0]), shift=2, lo=-9, hi=7, exponent=1
)  # fmt: skip


@pytest.mark.parametrize(
    ("x", "y"),
    [
        # 2*x - knee = 7, 4, -4: 28 + 2, 16 + 6, 8 over 4, and a half of each
        ([2, 2, 2], [3.5, 2.5, 1]),
        # 1, -2, -10: 4 + 2, 0 + 6, 20 over 4
        ([-1, -1, -1], [0.5, 0.5, 2.5]),
        ([-9, 9, 9], [-2, 3.5, 3.5]),  # -15 + 2, 72 + 6, 40 over 4, the last two clipped to 7
        ([-30, 0, -30], [-4.5, 0.5, 3.5]),  # -57 + 2, 6, 2*68
    ],
)
def test_by_hand(x: list[int], y: list[float]) -> None:
    assert OP.reference(np.array([x])).tolist() == [y]


def random_op(rng: np.random.Generator, channels: int, *, exponent: int, alike: bool = False) -> RequantisePRelu:
    def draw(most: int) -> np.ndarray:
        return rng.integers(-most, most + 1, 1 if alike else channels)

    return RequantisePRelu(draw(40), draw(9000), draw(20000), shift=12, lo=-300, hi=2**16, exponent=exponent)


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize(
    ("divisor", "exponent", "lo", "hi"),
    [(1, 0, -500, 500), (1, 5, -40, 40), (32, 5, -700, 700), (256, 3, -600, 600), (16, 9, -(2**13), 2**13)],
)
def test_separated_it_is_the_same(divisor: int, exponent: int, lo: int, hi: int, alike: bool) -> None:
    """The last row is of values wider than a multiplier."""
    rng = np.random.default_rng(0)
    op = random_op(rng, 3, exponent=exponent, alike=alike)
    x = np.repeat(np.unique(np.linspace(lo, hi, 1201).astype(np.int64))[:, None], 3, axis=1)
    integers = TensorType((3,), IntType(lo, hi))
    separated = op.separated(integers, divisor)
    (divide,) = separated.floats
    found = divide.reference(separated.exact.reference(x))
    np.testing.assert_array_equal(found, op.reference((x / divisor).astype(np.float32)))
    assert len(np.unique(found)) > 20
    element = separated.exact.infer(integers).element
    assert isinstance(element, IntType)
    assert op.lo <= element.lo < element.hi <= op.hi


def test_one_slope_for_each_channel_alone() -> None:
    op = RequantisePRelu(np.array([0]), np.array([1, 2, 3]), np.array([2]), shift=2, lo=-8, hi=7, exponent=0)
    x = np.repeat(np.arange(-20, 20)[:, None], 3, axis=1)
    exact = op.separated(TensorType((3,), IntType(-20, 19)), 1).exact
    np.testing.assert_array_equal(exact.reference(x), op.reference(x))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slope": np.array([1.0])}, r"^slope must be an int64 vector, not float64 of shape \(1,\)$"),
        ({"slope": np.array([0, 2**17, 0])}, r"^slope must be below 2\^17, but channel 1 has 131072$"),
        ({"knee": np.array([0, 0])}, "^knee must have 1 or 3 elements, not 2$"),
        ({"shift": 17}, "^shift=17 must lie between 0 and 16$"),
        ({"exponent": -1}, "^exponent=-1 must lie between 0 and 15$"),
        ({"lo": 8}, r"^lo=8 and hi=7 must rise and lie within 2\^24, float32's integers$"),
    ],
)
def test_what_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(OP, **changes)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^knee must have 1 or 4 elements, not 3$"):
        OP.infer(TensorType((4,), IntType(0, 1)))

"""Sums and concatenations: their types hold their values, and their values are torch's."""

from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.compiler.ir.graph import Graph, Node, Value, random_feeds, trace
from bnnhw.compiler.ir.ops import Add, Concat, Reachable
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType, IntType, QuotientType, TensorType

BITS, FLOATS = BinaryType(), FloatType()
QUARTERS, OTHERS, HALVES = (QuotientType(IntType(*sums), by) for *sums, by in ((0, 4, 4), (-4, 4, 2, 4), (0, 2, 2)))
ELEMENTS = st.one_of(
    st.just(BITS),
    st.builds(
        lambda lo, count, step: IntType(lo, lo + step * count, step),
        *(st.integers(-9, 9), st.integers(0, 7), st.integers(1, 6)),
    ),
)


def infer(op: Add | Concat, *elements: Element, shapes: tuple[tuple[int, ...], ...] = ()) -> TensorType:
    shapes = shapes or ((2, 3, 4),) * len(elements)
    return op.infer(*(TensorType(shape, element) for shape, element in zip(shapes, elements, strict=True)))


def numbers(element: Element) -> set[int]:
    assert not isinstance(element, FloatType)
    return set(range(element.lo, element.hi + 1, element.step))


@settings(deadline=None, max_examples=200)
@given(ELEMENTS, ELEMENTS)
def test_the_type_of_a_sum_is_the_least_that_has_every_sum(a, b):
    element = infer(Add(), a, b).element
    assert not isinstance(element, FloatType)
    sums = {one + two for one in numbers(a) for two in numbers(b)}
    assert sums <= numbers(element)
    assert (min(sums), max(sums)) == (element.lo, element.hi)
    steps = set(np.diff(sorted(sums)).tolist())
    assert not steps or np.gcd.reduce([*steps]) % element.step == 0


@settings(deadline=None, max_examples=200)
@given(ELEMENTS, ELEMENTS)
def test_the_type_of_a_concatenation_is_the_least_that_has_all(a, b):
    both = numbers(a) | numbers(b)
    try:
        element = infer(Concat(), a, b).element
    except ValueError:
        assert (a == BITS) != (b == BITS)
        return
    assert not isinstance(element, FloatType)
    assert both <= numbers(element)
    assert (min(both), max(both)) == (element.lo, element.hi)
    assert 1 in (a.count, b.count) or np.gcd.reduce(np.diff(sorted(both))) == element.step
    assert (element == BITS) == (a == b == BITS)


@pytest.mark.parametrize(
    ("op", "elements", "wanted"),
    [
        (Add(), (BITS, BITS), IntType(-2, 2, 2)),
        (Add(), (IntType(0, 3), IntType(0, 3)), IntType(0, 6)),
        (Add(), (BITS, FLOATS), FLOATS),
        (Add(), (QUARTERS, OTHERS), QuotientType(IntType(-4, 8), 4)),
        (Add(), (QUARTERS, HALVES), FLOATS),
        (Concat(), (BITS, BITS, BITS), BITS),
        (Concat(), (IntType(0, 3), IntType(0, 7)), IntType(0, 7)),
        (Concat(), (IntType(-2, 2, 2), IntType(-3, 3, 2)), IntType(-3, 3)),
        (Concat(), (BITS, IntType(-3, 3, 2)), IntType(-3, 3, 2)),
        (Concat(), (IntType(0, 3), FLOATS), FLOATS),
        (Concat(), (QUARTERS, OTHERS), QuotientType(IntType(-4, 4), 4)),
        (Concat(), (QUARTERS, HALVES), FLOATS),
    ],
)  # fmt: skip
def test_types(op, elements, wanted):
    shape = (2, 3, 4 * len(elements) if isinstance(op, Concat) else 4)
    assert infer(op, *elements) == TensorType(shape, wanted)


@pytest.mark.parametrize(
    ("op", "elements", "shapes", "message"),
    [
        (Add(), (BITS, BITS), ((2, 4), (2, 1)), r"^adds values of one shape, not \(2, 4\) and \(2, 1\)$"),
        (
            Concat(),
            (BITS, BITS),
            ((2, 4), (3, 4)),
            r"^joins values that differ in their channels alone",
        ),
        (Concat(), (BITS, BITS), ((), ()), r"^joins values that differ in their channels alone"),
        (
            Concat(),
            (IntType(0, 3), BITS),
            (),
            r"^joins bits, .*, with integers from 0 to 3; make",
        ),
        (
            Concat(),
            (BITS, IntType(0, 1)),
            (),
            r"^joins bits, .*, with integers from 0 to 1; make",
        ),
    ],
)
def test_what_does_not_fit_is_refused(op, elements, shapes, message):
    with pytest.raises(ValueError, match=message):
        infer(op, *elements, shapes=shapes)


@pytest.mark.parametrize("op", [Add(), Concat()], ids=["add", "concat"])
def test_values_are_those_of_torch(op):
    """Integers stay integers, whatever bytes they lie in; with a float among them they are added in float32."""
    rng = np.random.default_rng(0)
    integers, small = rng.integers(-128, 128, (2, 50, 4)), rng.integers(-128, 128, (50, 4)).astype(np.int8)
    floats = rng.normal(0, 1e6, (2, 50, 4)).astype(np.float32)
    for a, b in ((*integers,), (small, small), (*floats,), (floats[0], integers[0]), (small, floats[1])):
        result = op.reference(a, b)
        as_floats = "f" in (a.dtype.kind, b.dtype.kind)
        x, y = (torch.from_numpy(one.astype(np.float32 if as_floats else np.int64)) for one in (a, b))
        wanted = (x + y if isinstance(op, Add) else torch.cat([x, y], -1)).numpy()
        np.testing.assert_array_equal(result, wanted)
        assert result.dtype == np.float32 if as_floats else result.dtype.kind == "i"


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_what_a_sum_reaches(data):
    """All sums of what the channels of its inputs reach, and none below or above."""
    one = st.builds(
        Reachable,
        st.lists(st.integers(-9, 9), min_size=3, max_size=3).map(np.array),
        *(st.integers(1, 6), st.integers(1, 6)),
    )
    a, b = data.draw(one), data.draw(one)
    reached = Add().reachable(a, b)
    for channel in range(3):
        every = {
            int(low + a.step * i + other + b.step * j)
            for low, other in [(a.lows[channel], b.lows[channel])]
            for i, j in np.ndindex(a.count, b.count)
        }
        said = {int(reached.lows[channel] + reached.step * step) for step in range(reached.count)}
        assert every <= said
        assert (min(every), max(every)) == (min(said), max(said)) == (min(said), reached.highs[channel])


def test_a_value_is_read_twice():
    x = Value("x", TensorType((3,), IntType(0, 5)))
    graph = Graph((x,), (Node("twice", Add(), ("x", "x"), "y"), Node("both", Concat(), ("x", "y"), "z")), ("z",))
    values = trace(graph, feeds := random_feeds(graph, samples=4, seed=0))
    np.testing.assert_array_equal(values["z"], np.concatenate([feeds["x"], 2 * feeds["x"]], axis=1))
    assert values["z"].size == 4 * prod((6,))

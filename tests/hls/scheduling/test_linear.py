"""Sums in another order: the same integers, fewer adders, loops of one addition."""

import random

import numpy as np
import pytest

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.program import State, run_beats
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.linear import arrange_sums
from bnnhw.hls.scheduling.schedule import schedule
from bnnhw.hw.targets.ecp5 import ECP5

DELAYS = ECP5.fabric.delays


def random_sums(seed: int) -> RangedProgram:
    """Of inputs, constants and states: sums of sums, some of which are read several times."""
    rng = random.Random(seed)
    builder = Builder()
    inputs, states = rng.randint(1, 4), rng.randint(0, 2)
    numbers = [builder.input(number, rng.choice([(0, 255), (-8, 7), (3, 3)])) for number in range(inputs)]
    kept = [builder.state(number, (-128, 127)) for number in range(states)]
    numbers += [*kept, builder.constant(rng.randint(-50, 50))]
    for _ in range(rng.randint(1, 14)):
        op = rng.choice(["add", "add", "sub", "sub", "shl", "shr", "mux"])
        arguments = [rng.choice(numbers[-6:] if rng.random() < 0.7 else numbers) for _ in range(3)]
        match op:
            case "shl" | "shr":
                numbers.append(builder.make(op, arguments[0], attribute=rng.randint(0, 3)))
            case "mux":
                condition = builder.make("ge", *arguments[:2])
                numbers.append(builder.make(op, condition, arguments[1], arguments[2]))
            case _:
                numbers.append(builder.make(op, *arguments[:2]))
    following = []
    for _ in kept:
        masked = builder.make("and", rng.choice(numbers), builder.constant(255))
        following.append(State(rng.randint(-128, 127), builder.make("sub", masked, builder.constant(128))))
    return builder.finish(numbers[-2:], following)


@pytest.mark.parametrize("ahead", [False, True])
def test_the_integers_are_the_same_and_within_their_ranges(ahead: bool):
    rng = np.random.default_rng(0)
    fewer = 0
    for seed in range(400):
        ranged = random_sums(seed)
        try:
            arranged = arrange_sums(ranged, clock_hz=[20e6, 100e6, 150e6][seed % 3], delays=DELAYS, ahead=ahead)
        except OperatorError as error:
            assert "from a state to its next one" in str(error)  # noqa: PT017
            continue
        pairs = zip(ranged.program.instructions, ranged.spans, strict=True)
        spans = [span for each, span in pairs if each.op == "input"]
        beats = np.stack([rng.integers(lo, hi + 1, (20, 6)) for lo, hi in spans], axis=-1)
        expected = run_beats(ranged.program, beats, period=4)
        np.testing.assert_array_equal(run_beats(arranged.program, beats, period=4), expected, err_msg=f"{seed=}")
        for position, number in enumerate(arranged.program.outputs):
            lo, hi = arranged.spans[number]
            assert lo <= expected[..., position].min()
            assert expected[..., position].max() <= hi
        fewer += adders(ranged) - adders(arranged)
    assert fewer > 0 or ahead


def adders(ranged: RangedProgram) -> int:
    return sum(each.op in ("add", "sub") for each in ranged.program.instructions)


def arranged(ranged: RangedProgram, *, ahead: bool = False) -> RangedProgram:
    return arrange_sums(ranged, clock_hz=100e6, delays=DELAYS, ahead=ahead)


def test_terms_of_one_integer_are_one():
    builder = Builder()
    x, y = builder.input(0, (0, 255)), builder.input(1, (0, 255))
    total = builder.make("add", builder.make("add", x, y), builder.make("shl", y, attribute=2))
    ranged = builder.finish([builder.make("sub", total, builder.make("sub", x, builder.make("shl", y, attribute=1)))])
    # x + y + 4*y - (x - 2*y) = 8*y - y
    assert adders(ranged) == 4
    assert adders(arranged(ranged)) == 1


def test_what_is_read_twice_is_made_once():
    builder = Builder()
    x, y, z = (builder.input(number, (0, 255)) for number in range(3))
    pair = builder.make("add", x, y)
    sums = [builder.make("add", pair, z), builder.make("sub", pair, z)]
    assert adders(arranged(builder.finish(sums))) == 3


def test_narrow_terms_come_first_and_late_ones_last():
    builder = Builder()
    wide, late = builder.input(0, (0, 4095)), builder.input(1, (0, 15))
    narrow = [builder.input(number, (0, 15)) for number in (2, 3)]
    late = builder.make("mul", late, late)
    total = builder.make("add", builder.make("add", late, wide), builder.make("add", *narrow))
    made = arranged(builder.finish([total]))
    sums = [each.args for each in made.program.instructions if each.op == "add"]
    read = [{made.program.instructions[arg].attribute for arg in args} for args in sums]
    assert read == [{2, 3}, {0, None}, {None}]  # inputs by their numbers, and what was made of some


def running_sum(pixels: int) -> RangedProgram:
    """Of so many numbers a beat, each sum a result."""
    builder = Builder()
    inputs = [builder.input(number, (0, 255)) for number in range(pixels)]
    total, totals = builder.state(0, (0, 4095)), []
    for x in inputs:
        total = builder.make("add", total, x, at="f.py:1")
        totals.append(total)
    return builder.finish(totals, [State(0, builder.make("and", total, builder.constant(4095)))])


def test_loops_of_several_pixels_are_one_addition_where_the_clock_wants_it():
    ranged = running_sum(4)
    slow = schedule(ranged, clock_hz=50e6, delays=DELAYS)
    assert adders(slow.ranged) == 4
    fast = schedule(ranged, clock_hz=200e6, delays=DELAYS)
    assert adders(fast.ranged) > 4
    beats = np.random.default_rng(0).integers(0, 256, (10, 20, 4))
    expected = run_beats(ranged.program, beats, period=20)
    np.testing.assert_array_equal(run_beats(fast.ranged.program, beats, period=20), expected)
    with pytest.raises(OperatorError, match="at most"):
        schedule(ranged, clock_hz=400e6, delays=DELAYS)

"""Stages of instructions and loops, and clocks that are too fast for them."""

from collections.abc import Callable
from typing import Any

import pytest

from bnnhw import hls
from bnnhw.hls.program import Instruction, Program, State
from bnnhw.hls.ranges import Builder, RangedProgram, with_codes
from bnnhw.hls.scheduling.linear import arrange_sums
from bnnhw.hls.scheduling.loops import steps_of
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.targets.ecp5 import ECP5


def timed(ranged: RangedProgram, clock_hz: float) -> Schedule:
    return schedule(ranged, clock_hz=clock_hz, delays=ECP5.fabric.delays)


def kept(following: Callable[[Builder, int, int], int]) -> RangedProgram:
    """A program of an input and a state of 8 bits, which is its result."""
    builder = Builder()
    x, state = builder.input(0, (0, 255)), builder.state(0, (0, 255))
    return builder.finish([state], [State(0, following(builder, x, state))])


def sum_in_8_bits(builder: Builder, a: int, b: int) -> int:
    return builder.make("and", builder.make("add", a, b, at="f.py:3"), builder.constant(255), at="f.py:4")


def with_more(builder: Builder, x: int, state: int) -> int:
    return sum_in_8_bits(builder, builder.make("add", x, builder.make("and", x, builder.constant(60))), state)


def squared(builder: Builder, x: int, state: int) -> int:
    return sum_in_8_bits(builder, x, builder.make("mul", state, state, at="f.py:2"))


def looked_up(builder: Builder, x: int, state: int) -> int:
    return builder.make("table", state, attribute=tuple(number // 2 for number in range(256)), at="f.py:2")


def read(state: int) -> Instruction:
    return Instruction("state", attribute=state)


@pytest.mark.parametrize(
    ("instructions", "states", "steps"),
    [
        # a delay line, which is no loop: states come behind what they become
        ([read(0), read(1), Instruction("input", attribute=0)], [2, 0], [(2,), (0,), (1,)]),
        # a sum, and what is no part of its loop
        (
            [Instruction("input", attribute=0), read(0), Instruction("shl", (0,), 1), Instruction("add", (1, 2))],
            [3],
            [(0,), (2,), (1, 3)],
        ),
        # two states that read each other
        ([read(0), read(1), Instruction("input", attribute=0), Instruction("add", (1, 2))], [3, 0], [(2,), (0, 1, 3)]),
        # two loops, one of which reads the other
        (
            [read(0), read(1), Instruction("add", (0, 0)), Instruction("add", (0, 1))],
            [2, 3],
            [(0, 2), (1, 3)],
        ),
    ],
)
def test_loops_are_one_step_each(instructions: list[Instruction], states: list[int], steps: list[tuple[int, ...]]):
    program = Program(tuple(instructions), (0,), tuple(State(0, number) for number in states))
    assert steps_of(program) == steps


def test_a_loop_is_done_in_one_cycle_and_what_it_reads_before():
    ranged = kept(with_more)
    assert timed(ranged, 60e6).latency == 1
    fast = timed(ranged, 200e6)
    stages = {each.op: stage for each, stage in zip(ranged.program.instructions, fast.stages, strict=True)}
    assert stages["state"] == stages["and"] == 1
    assert fast.register_bits(groups=1) == 9 + 8  # x and some of its bits, and the state
    assert fast.register_bits(groups=3) == 3 * (9 + 8)


def test_what_counters_make_is_shared():
    builder = Builder()
    sum_of_two = builder.make("add", builder.counter(1, 7), builder.counter(7, 9))
    ranged = builder.finish([builder.make("add", sum_of_two, builder.input(0, (0, 3)))])
    made = timed(ranged, 250e6)
    names = [ranged.program.instructions[number].op for number in sorted(made.shared)]
    assert names == ["counter", "counter", "add"]
    assert made.latency == 1
    assert made.register_bits(groups=5) == 4 + 5 * 5  # of the counters' sum, and of each group its result


TOO_FAST = {
    "product": (
        lambda: with_codes(hls.pointwise(lambda x: x * (x + 1)).program, (0, 255), 1),
        r"test_schedule\.py:\d+: mul of 16 bits takes 5\.3 ns, .* has 5\.0 ns; .* at most 188 MHz works, or smaller",
    ),
    "loop": (
        lambda: kept(squared),
        r"f\.py:4: from a state to its next one takes .* ns, and a cycle of 200 MHz has 5\.0 ns; .* at most \d+ MHz",
    ),
    "table": (
        lambda: kept(looked_up),
        r"f\.py:2: a table between a state and its next one .* in LUTs, and has more than 73 entries of 7 bits; take",
    ),
}


@pytest.mark.parametrize("name", TOO_FAST)
def test_what_is_too_slow_is_refused_with_a_clock_that_works(name: str):
    made, message = TOO_FAST[name]
    ranged = made()
    with pytest.raises(hls.OperatorError, match=f"^{message}") as caught:
        timed(ranged, 200e6)
    if "at most" in message:
        clock_mhz = int(str(caught.value).split("at most ")[1].split()[0])
        timed(ranged, clock_mhz * 1e6)
        with pytest.raises(hls.OperatorError):
            timed(ranged, (clock_mhz + 1) * 1e6)


@pytest.mark.parametrize(
    ("ranged", "orders"),
    [(with_codes(hls.pointwise(lambda x: 3 * x + 1).program, (0, 255), 1), [False]), (kept(with_more), [False, True])],
)
def test_sums_are_made_ahead_of_loops_where_there_are_states(
    ranged: RangedProgram, orders: list[bool], monkeypatch: pytest.MonkeyPatch
):
    tried: list[bool] = []

    def arranging(ranged: RangedProgram, *, ahead: bool, **given: Any) -> RangedProgram:
        tried.append(ahead)
        return arrange_sums(ranged, ahead=ahead, **given)

    monkeypatch.setattr("bnnhw.hls.scheduling.schedule.arrange_sums", arranging)
    timed(ranged, 100e6)
    assert tried == orders

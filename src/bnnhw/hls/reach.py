"""Where a scan's state can be: found by running it over the states that it reaches, or shown by how much it grows.

Tests: tests/hls/test_reach.py
Tests: tests/hls/test_scan.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span, interval
from .program import Instruction, Program, values_of
from .ranges import WIDEST

__all__ = ["Reach", "reach_of"]

MOST_WORK = 2**24
"""Pairs of a state and an input up to which all are tried; a step costs as much as some pairs."""
STEP_WORK = 2**14
PART_WORK = 2**16
"""Pairs of a step that are tried before it is seen whether its end is too far away."""
MOST_ROUNDS = 512
"""Of intervals, before what a state grows by is asked."""


@dataclass(frozen=True)
class Reach:
    """The ranges of a program's states, when they are read, and of each instruction's result."""

    states: tuple[Span, ...]
    results: tuple[Span, ...]


@lru_cache(maxsize=64)
def reach_of(program: Program, span: Span, step: int, steps: int) -> Reach:
    """Of a scan of `steps` inputs lo + step*n of a range. OperatorError where its states may grow beyond 62 bits."""
    found = tried(program, span, step, steps)
    return found or bounded(program, span, steps)


def tried(program: Program, span: Span, step: int, steps: int) -> Reach | None:
    """Exactly, by all states reached and all inputs. None where these are too many, or there are several states."""
    lo, hi = span
    if len(program.states) != 1 or program.inputs != 1 or (hi - lo) // step >= MOST_WORK:
        return None
    x = np.arange(lo, hi + 1, step)
    (state,) = program.states
    seen = fresh = np.array([state.init], np.int64)
    spans: list[Span] = []
    work = 0
    for left in reversed(range(steps)):
        work += len(fresh) * len(x) + len(seen) + STEP_WORK
        if work > MOST_WORK:
            return None
        found = np.array([], np.int64)
        for part in parts_of(fresh, PART_WORK // len(x) + 1):
            values = values_of(program, [x], [part[:, None]])
            reached = [(int(np.min(each)), int(np.max(each))) for each in values]
            spans = [hull(*pair) for pair in zip(spans or reached, reached, strict=True)]
            following = set_of(np.broadcast_to(values[state.following], (len(part), len(x))).ravel())
            if max(-int(following[0]), int(following[-1])) >= WIDEST // 4:
                return None
            found = set_of(found, following[~is_among(following, seen)])
            if left and work + len(found) * len(x) > MOST_WORK:
                return None  # as the next step would
        fresh = found
        if not left or not len(fresh):
            break
        seen = set_of(seen, fresh)
    return Reach(((int(seen[0]), int(seen[-1])),), tuple(spans))


def parts_of(values: NDArray[np.int64], first: int) -> Iterator[NDArray[np.int64]]:
    """So many, then twice as many, .."""
    begin = 0
    while begin < len(values):
        yield values[begin : 2 * begin + first]
        begin = 2 * begin + first


def set_of(*values: NDArray[np.int64]) -> NDArray[np.int64]:
    """All of them once, in order. On millions np.unique is ten times slower; a stable sort merges what is sorted."""
    ordered = np.sort(np.concatenate(values), kind="stable")
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def is_among(values: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the values are among those that are known, in order."""
    places = np.searchsorted(known, values)
    return known[np.minimum(places, len(known) - 1)] == values


def bounded(program: Program, span: Span, steps: int) -> Reach:
    """By intervals, a step at a time; where they go on growing, by what is added to a state at most, and then
    narrowed."""
    states: list[Span] = [(state.init, state.init) for state in program.states]
    for _ in range(min(steps - 1, MOST_ROUNDS)):
        spans = intervals_of(program, span, states)
        after = [hull(known, spans[state.following]) for known, state in zip(states, program.states, strict=True)]
        if after == states:
            return Reach(tuple(states), tuple(spans))
        states = after
    if steps - 1 > MOST_ROUNDS:
        states = grown(program, span, steps - 1)
    for _ in range(2):
        spans = intervals_of(program, span, states)
        states = [
            hull((state.init, state.init), meet(known, spans[state.following]))
            for known, state in zip(states, program.states, strict=True)
        ]
    return Reach(tuple(states), tuple(intervals_of(program, span, states)))


def grown(program: Program, span: Span, steps: int) -> list[Span]:
    """Each state is at most `steps` times what is added to it from where it begins, or is set to."""
    spans = intervals_of(program, span, [(-WIDEST // 4, WIDEST // 4)] * len(program.states), checked=False)
    found = []
    for number, state in enumerate(program.states):
        change = change_of(program.instructions, state.following, number, spans)
        if change is None:
            place = program.instructions[state.following].place
            raise OperatorError(
                f"{place}: the state may grow without bound in {steps} steps; clip it, as in np.clip(state, lo, hi)"
            )
        (down, up), at = change
        lo, hi = hull(at, (state.init, state.init)) if at else (state.init, state.init)
        found.append((lo + steps * min(down, 0), hi + steps * max(up, 0)))
    return found


Change = tuple[Span, Span | None]
"""The next state is the state plus something of the first range, or, where given, something of the second."""


def change_of(instructions: Sequence[Instruction], number: int, state: int, spans: Sequence[Span]) -> Change | None:
    """How an instruction's result differs from a state; None where this does not show."""
    each = instructions[number]
    if each.op == "state" and each.attribute == state:
        return (0, 0), None
    if abs(spans[number][0]) < WIDEST // 8 and abs(spans[number][1]) < WIDEST // 8:
        return (0, 0), spans[number]
    changes = [change_of(instructions, arg, state, spans) for arg in each.args]
    match each.op, changes:
        case (("add" | "sub"), [one, other]):
            added = spans[each.args[1]]
            if each.op == "add" and one is not None and one[1] is not None:
                one, added = other, spans[each.args[0]]
            if one is None or one[1] is not None or max(-added[0], added[1]) >= WIDEST // 8:
                return None
            down, up = added if each.op == "add" else (-added[1], -added[0])
            return (one[0][0] + down, one[0][1] + up), None
        case "mux", [_, one, other] if one is not None and other is not None:
            at = [each[1] for each in (one, other) if each[1] is not None]
            return hull(one[0], other[0]), hull(*at) if len(at) == 2 else at[0] if at else None
    return None


def intervals_of(program: Program, span: Span, states: Sequence[Span], *, checked: bool = True) -> list[Span]:
    """The range of each instruction's result."""
    spans: list[Span] = []
    for each in program.instructions:
        match each.op, each.attribute:
            case "input", _:
                spans.append(span)
            case "state", int(number):
                spans.append(states[number])
            case _:
                spans.append(interval(each, program.instructions, spans))
        lo, hi = spans[-1]
        if checked and max(-lo, hi) >= WIDEST:
            raise OperatorError(f"{each.place}: a state spans {lo} to {hi}, more than 62 bits; clip it")
    return spans


def hull(one: Span, other: Span) -> Span:
    """The least range that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def meet(one: Span, other: Span) -> Span:
    """What both hold."""
    return max(one[0], other[0]), min(one[1], other[1])

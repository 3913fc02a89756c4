"""The loops of a program: what is between a state and its next value, and so must be done from one beat to the next.

Tests: tests/hls/scheduling/test_schedule.py
"""

from collections.abc import Mapping, Sequence

from bnnhw.hls.program import Program

__all__ = ["loops_of", "steps_of"]


def steps_of(program: Program) -> list[tuple[int, ...]]:
    """The instructions in an order in which each comes behind what it reads, a state behind its next value; those of a
    loop are one step together, in the program's order. States whose next values read each other are in one loop."""
    instructions = program.instructions
    loops = loops_of(program)
    first = {number: loop[0] for loop in loops for number in loop}
    members = {loop[0]: loop for loop in loops}
    followings = program.followings
    needs: dict[int, set[int]] = {}
    for number, each in enumerate(instructions):
        step = first.get(number, number)
        arguments = (followings[number],) if number in followings else each.args
        read = [first.get(arg, arg) for arg in arguments]
        needs.setdefault(step, set()).update(arg for arg in read if arg != step)
    return [members.get(step, (step,)) for step in _behind_what_they_need(needs)]


def _behind_what_they_need(needs: Mapping[int, set[int]]) -> list[int]:
    """The steps, each behind those that it needs, first those that need nothing (Kahn 1962,
    https://doi.org/10.1145/368996.369025)."""
    needing: dict[int, list[int]] = {}
    for step in sorted(needs):
        for needed in (step, *sorted(needs[step])):
            needing.setdefault(needed, [])
        for needed in needs[step]:
            needing[needed].append(step)
    left = {step: len(needed) for step, needed in needs.items()}
    order = [step for step in needing if not left[step]]
    for step in order:
        for other in needing[step]:
            left[other] -= 1
            if not left[other]:
                order.append(other)
    return order


def loops_of(program: Program) -> list[tuple[int, ...]]:
    """Of each set of states that depend on each other, or on themselves, the instructions of their loop."""
    instructions, states = program.instructions, program.states
    reads = [0] * len(instructions)  # a bit for each state that an instruction depends on
    for number, each in enumerate(instructions):
        if each.op == "state" and isinstance(each.attribute, int):
            reads[number] = 1 << each.attribute
        for arg in each.args:
            reads[number] |= reads[arg]
    feeds = [0] * len(instructions)  # a bit for each state whose next value depends on it
    for position, state in enumerate(states):
        feeds[state.following] |= 1 << position
    for number in reversed(range(len(instructions))):
        for arg in instructions[number].args:
            feeds[arg] |= feeds[number]
    return [
        tuple(number for number in range(len(instructions)) if reads[number] & loop and feeds[number] & loop)
        for loop in _rings_of([reads[state.following] for state in states])
    ]


def _rings_of(reads: Sequence[int]) -> list[int]:
    """The sets of states, a bit each, that depend on each other; `reads` are those that each one's next value reads."""
    reached = list(reads)
    for through in range(len(reached)):
        for state, known in enumerate(reached):
            if known >> through & 1:
                reached[state] |= reached[through]
    rings: list[int] = []
    for state, known in enumerate(reached):
        ring = sum(1 << other for other in range(len(reached)) if known >> other & 1 and reached[other] >> state & 1)
        if ring and ring not in rings:
            rings.append(ring)
    return rings

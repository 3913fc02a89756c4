"""What depends on the beat's place in its frame alone: it is known beats ahead, so no value waits for it.

Counters run some beats ahead of the frame, and what is made of them goes through registers that move with each beat,
until it is read. Block RAM and multipliers with registers are not among it: what they give at first cannot be chosen.

Tests: tests/hls/scheduling/test_ahead.py
"""

from collections.abc import Container, Sequence

from bnnhw.hls.intervals import Span
from bnnhw.hls.program import Instruction, values_of
from bnnhw.hls.ranges import RangedProgram

from .delays import cycles_of

__all__ = ["ahead_of", "is_ahead", "values_ahead"]


def is_ahead(number: int, instructions: Sequence[Instruction], spans: Sequence[Span], ahead: Container[int]) -> bool:
    """Whether an instruction is known ahead where, of what it reads, these are."""
    each = instructions[number]
    if each.op == "counter":
        return True
    read = [arg for arg in each.args if instructions[arg].op != "const"]
    return bool(read) and all(arg in ahead for arg in read) and not cycles_of(each, spans[number])


def ahead_of(ranged: RangedProgram) -> frozenset[int]:
    """The instructions that are known ahead."""
    ahead: set[int] = set()
    for number in range(len(ranged.spans)):
        if is_ahead(number, ranged.program.instructions, ranged.spans, ahead):
            ahead.add(number)
    return frozenset(ahead)


def values_ahead(ranged: RangedProgram, *, beats: int, count: int) -> list[dict[int, int]]:
    """Of each of the first so many beats, where a frame has `beats`, the results of what is known ahead."""
    program, ahead = ranged.program, ahead_of(ranged)
    anything = {
        each.attribute: lo
        for each, (lo, _) in zip(program.instructions, ranged.spans, strict=True)
        if each.op == "input"
    }
    inputs = [anything[number] for number in range(len(anything))]
    states = [state.init for state in program.states]
    found = (values_of(program, inputs, states, beat % beats) for beat in range(count))
    return [{number: int(values[number]) for number in ahead} for values in found]

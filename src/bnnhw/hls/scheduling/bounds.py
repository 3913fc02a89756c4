"""Bounds that are round numbers: where(x >= 255, 255, x) is where(x >= 256, 255, x), too, whose comparison sees no bit
below the eighth.

Tests: tests/hls/scheduling/test_bounds.py
"""

from dataclasses import replace

from bnnhw.hls.intervals import Span
from bnnhw.hls.program import Instruction, State, needed_of
from bnnhw.hls.ranges import RangedProgram

from .delays import lowest_zeros

__all__ = ["round_bounds"]


def round_bounds(ranged: RangedProgram) -> RangedProgram:
    """The same program; bounds of choices between an integer and a constant are moved by 1 where that is rounder."""
    rounding = _Rounding(ranged)
    for number in range(len(ranged.program.instructions)):
        rounding.add(number)
    return rounding.rounded()


class _Rounding:
    def __init__(self, ranged: RangedProgram):
        self.old = ranged
        self.instructions: list[Instruction] = []
        self.spans: list[Span] = []
        self._made: list[int] = []
        self._numbers: dict[Instruction, int] = {}

    def add(self, number: int) -> None:
        """The next instruction."""
        each = self.old.program.instructions[number]
        args = tuple(self._made[arg] for arg in each.args)
        if each.op == "mux":
            args = self._condition(*args), *args[1:]
        self._made.append(self._emit(replace(each, args=args), self.old.spans[number]))

    def rounded(self) -> RangedProgram:
        """The new program."""
        program = self.old.program
        states = [State(state.init, self._made[state.following]) for state in program.states]
        made, kept = needed_of(self.instructions, [self._made[number] for number in program.outputs], states)
        return replace(self.old, program=made, spans=tuple(self.spans[number] for number in kept))

    def _emit(self, instruction: Instruction, span: Span) -> int:
        number = self._numbers.setdefault(instruction, len(self.instructions))
        if number == len(self.instructions):
            self.instructions.append(instruction)
            self.spans.append(span)
        return number

    def _condition(self, number: int, a: int, b: int) -> int:
        """The condition of a choice, or a rounder one that differs only where a and b are equal."""
        condition = self.instructions[number]
        if condition.op != "ge" or {*condition.args} != {a, b}:
            return number
        for place, step in ((1, 1), (0, -1)):  # x >= c is as good as x >= c + 1, and c >= x as c - 1 >= x
            bound = self.instructions[condition.args[place]]
            if bound.op != "const" or not isinstance(bound.attribute, int):
                continue
            least = bound.attribute + (place == 0)  # of x from which on the condition is another one
            if lowest_zeros(least + step) > lowest_zeros(least):
                value = bound.attribute + step
                moved = self._emit(Instruction("const", (), value), (value, value))
                args = (condition.args[0], moved) if place else (moved, condition.args[1])
                return self._emit(replace(condition, args=args), (0, 1))
        return number

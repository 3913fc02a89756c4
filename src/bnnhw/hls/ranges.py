"""What each integer of a program can be, and the program without what cannot happen.

Ranges are intervals. Where the inputs that an integer depends on take few values together, it is computed for all of
them: its range is exact then, and integers that are equal for all inputs are one. So nothing overflows unseen.

Tests: tests/hls/test_operator.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span, interval
from .program import MEANINGS, Attribute, Instruction, Program, State, needed_of

__all__ = ["WIDEST", "RangedProgram", "with_codes", "with_ranges"]

ENUMERATED = 2**16
"""Values of the inputs together up to which an integer is computed for all of them."""
WIDEST = 2**62
"""What no integer reaches."""


@dataclass(frozen=True)
class RangedProgram:
    """A program, the least and greatest value of each instruction's result, and those of all its results together."""

    program: Program
    spans: tuple[Span, ...]
    result: Span


def with_ranges(program: Program, spans: Sequence[Span]) -> RangedProgram:
    """The program for inputs in these ranges, in as few instructions as it then takes.

    OperatorError, which names the author's line, for what overflows and for indices beyond a table.
    """
    builder = Builder()
    outputs = builder.replay(program, [builder.input(number, span) for number, span in enumerate(spans)])
    return builder.finish(outputs)


def with_codes(program: Program, span: Span, step: int) -> RangedProgram:
    """The same on codes: each input is lo + step*code of the range lo to hi; all results are counted from the least
    one of any."""
    builder = Builder()
    outputs = builder.replay(program, builder.coded(program.inputs, span, step))
    return builder.finish_codes(outputs, builder.range_of(outputs))


class Builder:
    """Makes each instruction once, with its range, or something simpler that is the same."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.spans: list[Span] = []
        self._numbers: dict[Instruction, int] = {}
        self._supports: list[tuple[int, ...]] = []  # the inputs that an integer depends on
        self._values: list[NDArray[np.int64] | None] = []  # for all values of these, an axis each
        self._same: dict[tuple[tuple[int, ...], bytes], int] = {}

    def input(self, number: int, span: Span) -> int:
        """The number of an input."""
        return self._source(Instruction("input", attribute=number), span)

    def coded(self, count: int, span: Span, step: int) -> list[int]:
        """So many inputs, lo + step*code of the range lo to hi, by the numbers of these values."""
        lo, hi = span
        codes = [self.input(number, (0, (hi - lo) // step)) for number in range(count)]
        return [self.decoded(code, step, self.constant(lo)) for code in codes]

    def decoded(self, code: int, step: int, offset: int) -> int:
        """The number of the value of a code, offset + step*code."""
        return self.make("add", self.make("mul", code, self.constant(step)), offset)

    def state(self, number: int, span: Span) -> int:
        """The number of a state, which is in this range at all times."""
        return self._source(Instruction("state", attribute=number), span)

    def counter(self, every: int, count: int) -> int:
        """The number of a counter of beats, (beat // every) % count."""
        if count == 1:
            return self.constant(0)
        instruction = Instruction("counter", attribute=(every, count))
        if instruction not in self._numbers:
            self._numbers[instruction] = self._source(instruction, (0, count - 1))
        return self._numbers[instruction]

    def _source(self, instruction: Instruction, span: Span) -> int:
        """The number of what depends on itself alone."""
        lo, hi = span
        values = np.arange(lo, hi + 1) if hi - lo < ENUMERATED else None
        return self._append(instruction, span, (len(self.instructions),), values)

    def replay(
        self,
        program: Program,
        inputs: Sequence[int],
        states: Sequence[int] = (),
        known: Sequence[Span] | None = None,
    ) -> list[int]:
        """The numbers of a program's results, and behind them of its states' next values, for these inputs and states.

        known: where each of its results is known to be.
        """
        made: list[int] = []
        for position, each in enumerate(program.instructions):
            match each.op, each.attribute:
                case "input", int(number):
                    made.append(inputs[number])
                case "state", int(number):
                    made.append(states[number])
                case _:
                    arguments = (made[arg] for arg in each.args)
                    made.append(self.make(each.op, *arguments, attribute=each.attribute, at=each.place))
                    if known is not None:
                        self.narrow(made[-1], known[position])
        return [made[number] for number in (*program.outputs, *(state.following for state in program.states))]

    def replay_by_channel(
        self, program: Program, inputs: Sequence[int], parameters: Sequence[Sequence[int]]
    ) -> list[int]:
        """The numbers of a program's results for these inputs and each channel's parameters, alike channels once."""
        channels = sorted(set(zip(*parameters, strict=True))) or [()]
        return [
            number for channel in channels for number in self.replay(program, [*inputs, *map(self.constant, channel)])
        ]

    def narrow(self, number: int, span: Span) -> None:
        """Take it that an integer is in this range at all times, whatever the inputs' ranges say."""
        lo, hi = max(self.spans[number][0], span[0]), min(self.spans[number][1], span[1])
        self.spans[number] = lo, hi
        if (values := self._values[number]) is not None:
            self._values[number] = np.clip(values, lo, hi)

    def constant(self, value: int) -> int:
        """The number of a constant."""
        return self.make("const", attribute=value)

    def make(self, op: str, *args: int, attribute: Attribute = None, at: str = "") -> int:
        """The number of an instruction, or of what is the same."""
        if (simpler := self._simpler(op, args, attribute, at)) is not None:
            return simpler
        instruction = Instruction(op, args, attribute, at)
        if instruction in self._numbers:
            return self._numbers[instruction]
        support = tuple(sorted({one for arg in args for one in self._supports[arg]}))
        lo, hi = interval(instruction, self.instructions, self.spans)
        if max(-lo, hi) >= WIDEST:
            raise OperatorError(f"{at or 'an operator'}: a value spans {lo} to {hi}, more than 62 bits; clip it before")
        values = self._enumerated(instruction, support)
        if values is not None:
            lo, hi = int(values.min()), int(values.max())
        if lo == hi and op != "const":
            number = self.constant(lo)
        elif values is not None and op != "const":
            key = support, values.tobytes()
            number = self._same.get(key, len(self.instructions))
            if number == len(self.instructions):
                self._same[key] = self._append(instruction, (lo, hi), support, values)
        else:
            number = self._append(instruction, (lo, hi), support, values)
        self._numbers[instruction] = number
        return number

    def range_of(self, numbers: Sequence[int]) -> Span:
        """The range of all these together."""
        return min(self.spans[number][0] for number in numbers), max(self.spans[number][1] for number in numbers)

    def finish(self, outputs: Sequence[int], states: Sequence[State] = ()) -> RangedProgram:
        """All that these need, and the inputs."""
        program, kept = needed_of(self.instructions, outputs, states)
        return RangedProgram(program, tuple(self.spans[number] for number in kept), self.range_of(outputs))

    def finish_codes(self, outputs: Sequence[int], span: Span, states: Sequence[State] = ()) -> RangedProgram:
        """The same for outputs counted from the least of this range, which holds them all."""
        lo, hi = span
        codes = [self.make("sub", number, self.constant(lo)) for number in outputs]
        return replace(self.finish(codes, states), result=(0, hi - lo))

    def _append(
        self, instruction: Instruction, span: Span, support: tuple[int, ...], values: NDArray[np.int64] | None
    ) -> int:
        self.instructions.append(instruction)
        self.spans.append(span)
        self._supports.append(support)
        self._values.append(values)
        return len(self.instructions) - 1

    def _enumerated(self, instruction: Instruction, support: tuple[int, ...]) -> NDArray[np.int64] | None:
        """The results for all values of the inputs, where these are few."""
        sizes = {one: self.spans[one][1] - self.spans[one][0] + 1 for one in support}
        if prod(sizes.values()) > ENUMERATED:
            return None
        arguments = []
        for arg in instruction.args:
            values = self._values[arg]
            assert values is not None  # it depends on no more inputs
            arguments.append(values.reshape([sizes[one] if one in self._supports[arg] else 1 for one in support]))
        results = MEANINGS[instruction.op].apply(instruction.attribute, *arguments)
        return np.ascontiguousarray(np.broadcast_to(results, list(sizes.values())), np.int64)

    def _constant_of(self, number: int) -> int | None:
        found = self.instructions[number]
        return found.attribute if found.op == "const" and isinstance(found.attribute, int) else None

    def _simpler(self, op: str, args: tuple[int, ...], attribute: Attribute, at: str) -> int | None:
        """What is the same as this instruction, where that is simpler."""
        constants = [self._constant_of(arg) for arg in args]
        if op in ("shl", "shr") and attribute == 0:
            return args[0]
        if op in ("add", "sub") and constants[1] == 0:
            return args[0]
        if op == "add" and constants[0] == 0:
            return args[1]
        if op == "mux" and (constants[0] is not None or args[1] == args[2]):
            return args[1] if constants[0] else args[2]
        if op == "mul":
            for number, constant in zip(args, reversed(constants), strict=True):
                if constant is not None:
                    return self._times(number, constant, at)
        return None

    def _times(self, number: int, factor: int, at: str) -> int:
        """A multiple by shifts and additions: the fewest signed digits (canonical; Reitwiesner 1960)."""
        total, positive, times = None, True, 0
        lo, hi = self.spans[number]
        for shift, sign in sorted(signed_digits(factor), key=lambda digit: -digit[1]):
            term = self.make("shl", number, attribute=shift, at=at)
            if total is None:
                total, positive = term, sign > 0
            else:
                total = self.make("add" if (sign > 0) == positive else "sub", total, term, at=at)
            times += (sign if positive else -sign) << shift
            ends = sorted((times * lo, times * hi))
            self.narrow(total, (ends[0], ends[1]))
        if total is None:
            return self.constant(0)
        return total if positive else self.make("sub", self.constant(0), total, at=at)


def signed_digits(factor: int) -> list[tuple[int, int]]:
    """(shift, +1 or -1): factor = sum of sign * 2^shift, no two shifts side by side."""
    digits, shift = [], 0
    while factor:
        if factor & 1:
            digit = 2 - (factor & 3)
            digits.append((shift, digit))
            factor -= digit
        factor >>= 1
        shift += 1
    return digits

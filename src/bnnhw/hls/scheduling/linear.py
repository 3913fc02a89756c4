"""Sums in the order that is small and fast.

Additions, subtractions and shifts to the left whose results nobody else reads are one sum of terms, each a power of two
times an integer, added or subtracted. It is made two terms at a time: first those that are there first, of these the
narrowest, and what depends on a state last:

    ((state + x) + 4*y) - x  ->  state + 4*y
    (a + b) + (c + d), where a is there late  ->  (b + (c + d)) + a

Tests: tests/hls/scheduling/test_linear.py
"""

from collections import Counter
from dataclasses import dataclass, replace
from math import inf

from bnnhw.hls.intervals import Span, interval, width_of
from bnnhw.hls.program import Attribute, Instruction, Program, State, needed_of
from bnnhw.hls.ranges import RangedProgram, signed_digits

from .delays import Delays
from .loops import loops_of, steps_of
from .placing import Placing

__all__ = ["arrange_sums"]

SUMS = ("add", "sub", "shl")


def arrange_sums(ranged: RangedProgram, *, clock_hz: float, delays: Delays, ahead: bool = False) -> RangedProgram:
    """The same program with its sums in another order.

    ahead: sums in a loop are made without its states before it, even where they are made anew for each of its results,
    as in scans of several pixels a beat: s + x0, (s + x0) + x1 -> s + x0, s + (x0 + x1).
    """
    return _Arranging(ranged, clock_hz, delays, ahead=ahead).arranged()


@dataclass(frozen=True)
class _Term:
    """sign * 2^shift * the result of an instruction of the new program."""

    sign: int
    shift: int
    number: int


class _Arranging:
    """The new program in the making."""

    def __init__(self, ranged: RangedProgram, clock_hz: float, delays: Delays, *, ahead: bool):
        self.old = ranged
        self._old_followings = ranged.program.followings
        self.instructions: list[Instruction] = []
        self.spans: list[Span] = []
        self.placing = Placing(self.instructions, self.spans, followings := {}, clock_hz=clock_hz, delays=delays)
        self.followings: dict[int, int] = followings
        self._made: dict[int, int] = {}  # of instructions of the old program
        self._numbers: dict[Instruction, int] = {}
        self._waiting: list[int] = []  # for the rest of their loop
        looped = {number for loop in loops_of(ranged.program) for number in loop} if ahead else set()
        self._alone = _read_once(ranged.program) | looped
        self._needed = self._needed_of(ranged.program)

    def arranged(self) -> RangedProgram:
        """The new program."""
        program = self.old.program
        for step in steps_of(program):
            for number in sorted(step, key=lambda number: (program.instructions[number].op != "state", number)):
                if number in self._needed:
                    self._make(number)
            for number in step:
                if number in self._old_followings:
                    self.followings[self._made[number]] = self._made[self._old_followings[number]]
            if self._waiting:
                self.placing.place(tuple(self._waiting))
                self._waiting.clear()
        states = [State(state.init, self._made[state.following]) for state in program.states]
        arranged, kept = needed_of(self.instructions, [self._made[number] for number in program.outputs], states)
        return replace(self.old, program=arranged, spans=tuple(self.spans[number] for number in kept))

    def _make(self, number: int) -> None:
        """The old instruction in the new program."""
        each, span = self.old.program.instructions[number], self.old.spans[number]
        if each.op in SUMS:
            self._made[number] = self._add_up(number)
        else:
            made = replace(each, args=tuple(self._made[arg] for arg in each.args))
            self._made[number] = self._emit(made, span, following=self._old_followings.get(number))

    def _emit(self, instruction: Instruction, span: Span, following: int | None = None) -> int:
        """The number of a new instruction, or of the same one. It is placed, or waits for its loop."""
        if instruction in self._numbers:
            return self._numbers[instruction]
        number = self._numbers[instruction] = len(self.instructions)
        self.instructions.append(instruction)
        self.spans.append(span)
        read = instruction.args
        if following is not None:
            read = (self._made.get(following, number),)
            self.followings[number] = read[0]
        if all(arg in self.placing.done for arg in read):
            self.placing.place((number,))
        else:
            self._waiting.append(number)
        return number

    def _terms_of(self, root: int) -> tuple[dict[int, int], int]:
        """(of old instructions their factors in the sum, and what is added to them)."""
        factors: dict[int, int] = {}
        constant, left = 0, [(root, 1)]
        instructions = self.old.program.instructions
        while left:
            number, factor = left.pop()
            each = instructions[number]
            inside = number == root or number in self._alone
            match each.op, each.attribute:
                case "const", int(value):
                    constant += factor * value
                case "shl", int(distance):
                    left.append((each.args[0], factor << distance))
                case (("add" | "sub"), _) if inside:
                    left += [(each.args[1], factor if each.op == "add" else -factor), (each.args[0], factor)]
                case _:
                    factors[number] = factors.get(number, 0) + factor
        return factors, constant

    def _needed_of(self, program: Program) -> set[int]:
        """The old instructions that are made anew: all but what is inside of sums."""
        needed = {*program.outputs, *(state.following for state in program.states)}
        for number in reversed(range(len(program.instructions))):
            each = program.instructions[number]
            if each.op in ("input", "state"):
                needed.add(number)
            if number in needed:
                needed |= self._terms_of(number)[0].keys() if each.op in SUMS else set(each.args)
        return needed

    def _add_up(self, root: int) -> int:
        """The number of a sum."""
        factors, constant = self._terms_of(root)
        at = self.old.program.instructions[root].place
        terms = [
            _Term(sign, shift, self._made[number])
            for number, factor in factors.items()
            for shift, sign in signed_digits(factor)
        ]
        if constant or not terms:
            sign = -1 if constant < 0 else 1
            terms.append(_Term(sign, 0, self._constant(abs(constant))))
        while len(terms) > 1:
            one, other = self._next_two(terms)
            terms = [term for term in terms if term not in (one, other)]
            terms.append(self._sum(one, other, at))
        (term,) = terms
        total = self._shifted(term.number, term.shift, at)
        if term.sign < 0:
            total = self._emit_op("sub", self._constant(0), total, at=at)
        (lo, hi), (least, most) = self.spans[total], self.old.spans[root]
        self.spans[total] = max(lo, least), min(hi, most)
        return total

    def _next_two(self, terms: list[_Term]) -> tuple[_Term, _Term]:
        """Those that are there first; of such the narrowest, and another one that overlaps with it the most."""
        first, *rest = sorted(terms, key=lambda term: (self._ready(term), self._width(term), term.shift))
        soonest = self._ready(rest[0])
        second = min(
            (term for term in rest if self._ready(term) == soonest),
            key=lambda term: (self._width(term), abs(term.shift - first.shift), term.sign != first.sign),
        )
        return first, second

    def _ready(self, term: _Term) -> tuple[float, float]:
        """When it is there; what waits for a loop comes last."""
        return self.placing.ready(term.number) if term.number in self.placing.done else (inf, term.number)

    def _width(self, term: _Term) -> int:
        return width_of(self.spans[term.number]) + term.shift

    def _sum(self, one: _Term, other: _Term, at: str) -> _Term:
        low = min(one.shift, other.shift)
        if one.sign < other.sign:
            one, other = other, one
        a, b = (self._shifted(term.number, term.shift - low, at) for term in (one, other))
        return _Term(one.sign, low, self._emit_op("add" if one.sign == other.sign else "sub", a, b, at=at))

    def _shifted(self, number: int, distance: int, at: str) -> int:
        return self._emit_op("shl", number, attribute=distance, at=at) if distance else number

    def _constant(self, value: int) -> int:
        return self._emit(Instruction("const", (), value), (value, value))

    def _emit_op(self, op: str, *args: int, attribute: Attribute = None, at: str) -> int:
        instruction = Instruction(op, args, attribute, at)
        return self._emit(instruction, interval(instruction, self.instructions, self.spans))


def _read_once(program: Program) -> set[int]:
    """The instructions whose results one instruction reads, and nothing else."""
    readers = Counter(arg for each in program.instructions for arg in each.args)
    readers.update(program.outputs)
    readers.update(state.following for state in program.states)
    return {number for number, count in readers.items() if count == 1}

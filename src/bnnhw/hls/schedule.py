"""In which cycle each instruction is done: as much in a cycle as its clock allows.

Synthesis moves no register into an adder, so the registers are put where they belong before: as soon as possible, by
delays of the chip's primitives, routing included.

Tests: tests/hls/test_schedule.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from .errors import OperatorError
from .intervals import Span, width_of
from .loops import steps_of
from .program import Instruction
from .ranges import RangedProgram

__all__ = ["Delays", "Schedule", "check_sizes", "is_block_table", "is_sign", "schedule"]

BLOCK_BITS = 512
"""Bits of a table above which it is block RAM."""
BLOCK_CYCLES = 2
"""From a block RAM's address to its entry."""
MOST_ENTRIES = 2**14
"""Of a table, those of one block RAM."""
WIDEST_FACTOR = 18
"""Bits of what a multiplier takes."""
WIRES = ("const", "shl", "shr")
"""What makes nothing new: no registers carry it."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Nanoseconds of a chip's primitives, routing included.

    clock: from a clock edge to a register's output, and before one into it. lut: a LUT. carry, carry_bit: a carry chain
    by itself, and for each bit. multiplier: a multiplier without registers.
    """

    clock: float
    lut: float
    carry: float
    carry_bit: float
    multiplier: float


@dataclass(frozen=True)
class Schedule:
    """A program with the stage of each instruction's result; stage s ends in the s-th register, counted from 0.

    `latency` registers lie between the inputs and the results. A state's register is in its stage, and its next value
    is read there.
    """

    ranged: RangedProgram
    stages: tuple[int, ...]
    latency: int

    def register_bits(self, *, groups: int) -> int:
        """Bits of all registers between the stages, and of the states."""
        program, spans = self.ranged.program, self.ranged.spans
        last = list(self.stages)
        for number, each in enumerate(program.instructions):
            for arg in each.args:
                root = self.root(arg)
                last[root] = max(last[root], self.started(number))
            if each.op == "state" and isinstance(each.attribute, int):
                root = self.root(program.states[each.attribute].following)
                last[root] = max(last[root], self.stages[number])
        for output in program.outputs:
            last[self.root(output)] = self.latency
        return sum(
            (last[number] - self.stages[number] + (each.op == "state"))
            * width_of(spans[number])
            * (1 if number in self.shared else groups)
            for number, each in enumerate(program.instructions)
            if each.op not in WIRES
        )

    @cached_property
    def shared(self) -> frozenset[int]:
        """The instructions that depend on counters alone: groups side by side have these results in common."""
        shared: set[int] = set()
        instructions = self.ranged.program.instructions
        for number, each in enumerate(instructions):
            read = [arg for arg in each.args if instructions[arg].op != "const"]
            if each.op == "counter" or (read and shared.issuperset(read)):
                shared.add(number)
        return frozenset(shared)

    def root(self, number: int) -> int:
        """The instruction whose wires, shifted, are this one's result."""
        each = self.ranged.program.instructions[number]
        return self.root(each.args[0]) if each.op in ("shl", "shr") else number

    def started(self, number: int) -> int:
        """The stage in which an instruction reads its arguments."""
        each, span = self.ranged.program.instructions[number], self.ranged.spans[number]
        return self.stages[number] - (BLOCK_CYCLES if is_block_table(each, span) else 0)


def schedule(ranged: RangedProgram, *, clock_hz: float, delays: Delays) -> Schedule:
    """The program, each instruction as soon as it can be done at this clock, and each loop in one cycle. OperatorError
    names the author's line where an instruction or a loop takes longer."""
    placing = _Placing(ranged, clock_hz, delays)
    for step in steps_of(ranged.program):
        placing.place(step)
    done = placing.done
    latency = max(
        1,
        *(done[output][0] + (done[output][1] > 0) for output in ranged.program.outputs),
        *(done[number][0] for number, each in enumerate(ranged.program.instructions) if each.op == "state"),
    )
    return Schedule(ranged, tuple(done[number][0] for number in range(len(done))), latency)


class _Placing:
    """Instructions in stages, as soon as possible."""

    def __init__(self, ranged: RangedProgram, clock_hz: float, delays: Delays):
        self.program, self.spans = ranged.program, ranged.spans
        self.clock_hz = clock_hz
        self.delays = delays
        self.budget = 1e9 / clock_hz - delays.clock
        self.done: dict[int, tuple[int, float]] = {}  # stage, and nanoseconds into it

    def place(self, step: tuple[int, ...]) -> None:
        """The instructions of a step, in the first stage in which there is time for them."""
        if len(step) > 1:
            self._check_tables(step)
        read = {arg for number in step for arg in self._read(number) if arg not in step}
        ready = max((self.done[arg] for arg in read), default=(0, 0.0))
        times = self._times(step, ready[0])
        longest = max(times.values())
        stage = ready[0]
        if longest > self.budget + 1e-9:
            stage += 1
            times = self._times(step, stage)
            longest = max(times.values())
        if longest > self.budget + 1e-9:
            self._refuse(step, longest)
        self.done |= {number: (stage, time) for number, time in times.items()}
        for number in step:
            if is_block_table(self.program.instructions[number], self.spans[number]):
                self.done[number] = stage + BLOCK_CYCLES, 0.0

    def _read(self, number: int) -> list[int]:
        """What an instruction reads, a state its next value; constants are there at any time."""
        each = self.program.instructions[number]
        read = each.args
        if each.op == "state" and isinstance(each.attribute, int):
            read = (self.program.states[each.attribute].following,)
        return [arg for arg in read if self.program.instructions[arg].op != "const"]

    def _times(self, step: tuple[int, ...], stage: int) -> dict[int, float]:
        """The nanoseconds into this stage at which each instruction of the step would be done."""
        times: dict[int, float] = {}
        for number in step:
            each, spans = self.program.instructions[number], self.spans
            needed = delay_of(
                each, self.program.instructions, [spans[arg] for arg in each.args], spans[number], self.delays
            )
            begins = 0.0
            for arg in () if each.op == "state" else self._read(number):
                if arg in times:
                    begins = max(begins, times[arg])
                elif self.done[arg][0] == stage:
                    begins = max(begins, self.done[arg][1])
            times[number] = begins + needed
        return times

    def _check_tables(self, loop: tuple[int, ...]) -> None:
        for number in loop:
            each, bits = self.program.instructions[number], width_of(self.spans[number])
            if is_block_table(each, self.spans[number]):
                raise OperatorError(
                    f"{each.place}: a table between a state and its next one must be in LUTs, and has more than "
                    f"{BLOCK_BITS // bits} entries of {bits} bits; take fewer"
                )

    def _refuse(self, step: tuple[int, ...], longest: float) -> NoReturn:
        """OperatorError of what takes too long even where all it reads is in registers."""
        number = max(step, key=lambda number: (bool(self.program.instructions[number].place), number))
        each = self.program.instructions[number]
        taken = longest + self.delays.clock
        what = f"{each.op} of {width_of(self.spans[number])} bits" if len(step) == 1 else "from a state to its next one"
        raise OperatorError(
            f"{each.place}: {what} takes {taken:.1f} ns, and a cycle of {self.clock_hz / 1e6:g} MHz has "
            f"{1e9 / self.clock_hz:.1f} ns; a clock of at most {int(1e3 / taken)} MHz works, or smaller numbers"
        )


def check_sizes(ranged: RangedProgram) -> None:
    """OperatorError, which names the author's line, for tables and products that no primitive holds."""
    for each in ranged.program.instructions:
        entries = len(each.attribute) if isinstance(each.attribute, tuple) else 0
        if entries > MOST_ENTRIES:
            raise OperatorError(
                f"{each.place}: a table has {entries} entries, and a block RAM {MOST_ENTRIES}; shift the index, or "
                "choose between tables with np.where"
            )
        bits = max((width_of(ranged.spans[arg]) for arg in each.args), default=0)
        if each.op == "mul" and bits > WIDEST_FACTOR:
            raise OperatorError(
                f"{each.place}: a product has a factor of {bits} bits, and a multiplier takes {WIDEST_FACTOR}; shift "
                "or clip it before"
            )


def is_block_table(each: Instruction, span: Span) -> bool:
    """Whether a table is block RAM, not LUTs."""
    return (
        each.op == "table" and isinstance(each.attribute, tuple) and len(each.attribute) * width_of(span) > BLOCK_BITS
    )


def is_sign(each: Instruction, instructions: Sequence[Instruction]) -> bool:
    """Whether a comparison reads a sign alone."""
    against = instructions[each.args[1]]
    return each.op == "ge" and against.op == "const" and against.attribute == 0


def delay_of(
    each: Instruction, instructions: Sequence[Instruction], read: Sequence[Span], span: Span, delays: Delays
) -> float:
    """The nanoseconds that an instruction takes by itself."""
    bits = max([width_of(span), *map(width_of, read)])
    match each.op:
        case "add" | "sub":
            return delays.carry + delays.carry_bit * bits
        case "ge":
            return 0.0 if is_sign(each, instructions) else delays.carry + delays.carry_bit * bits
        case "eq":
            return delays.lut * (1 if bits <= 2 else 2)
        case "and" | "or" | "xor" | "mux":
            return delays.lut
        case "mul":
            return delays.multiplier
        case "table":
            assert isinstance(each.attribute, tuple)
            return delays.lut * (1 if len(each.attribute) <= 16 else 3) if not is_block_table(each, span) else 0.3
    return 0.0

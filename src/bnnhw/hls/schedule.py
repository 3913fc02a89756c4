"""In which cycle each instruction is done: as much in a cycle as its clock allows.

Synthesis moves no register into an adder, so the registers are put where they belong before: as soon as possible, by
delays of the chip's primitives, routing included.

Tests: tests/hw/program/test_pipeline.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import OperatorError
from .intervals import Span, width_of
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
WIRES = ("input", "const", "shl", "shr")


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

    `latency` registers lie between the inputs and the results.
    """

    ranged: RangedProgram
    stages: tuple[int, ...]
    latency: int

    @property
    def register_bits(self) -> int:
        """Bits of all registers between the stages."""
        last = list(self.stages)
        instructions = self.ranged.program.instructions
        for number, each in enumerate(instructions):
            for arg in each.args:
                root = self.root(arg)
                last[root] = max(last[root], self.started(number))
        for output in self.ranged.program.outputs:
            last[self.root(output)] = self.latency
        return sum(
            (last[number] - self.stages[number]) * width_of(self.ranged.spans[number])
            for number, each in enumerate(instructions)
            if each.op not in WIRES or each.op == "input"
        )

    def root(self, number: int) -> int:
        """The instruction whose wires, shifted, are this one's result."""
        each = self.ranged.program.instructions[number]
        return self.root(each.args[0]) if each.op in ("shl", "shr") else number

    def started(self, number: int) -> int:
        """The stage in which an instruction reads its arguments."""
        each, span = self.ranged.program.instructions[number], self.ranged.spans[number]
        return self.stages[number] - (BLOCK_CYCLES if is_block_table(each, span) else 0)


def schedule(ranged: RangedProgram, *, clock_hz: float, delays: Delays) -> Schedule:
    """The program, each instruction as soon as it can be done at this clock. OperatorError names the author's line
    where one takes longer than a cycle."""
    budget = 1e9 / clock_hz - delays.clock
    instructions, spans = ranged.program.instructions, ranged.spans
    done: list[tuple[int, float]] = []  # stage, and nanoseconds into it
    for number, each in enumerate(instructions):
        stage, time = max((done[arg] for arg in each.args if instructions[arg].op != "const"), default=(0, 0.0))
        needed = delay_of(each, instructions, [spans[arg] for arg in each.args], spans[number], delays)
        if needed > budget:
            raise OperatorError(
                f"{each.place}: {each.op} of {width_of(spans[number])} bits takes {needed + delays.clock:.1f} ns, and "
                f"a cycle of {clock_hz / 1e6:g} MHz has {1e9 / clock_hz:.1f} ns; a clock of at most "
                f"{1e3 / (needed + delays.clock):.0f} MHz works, or smaller numbers"
            )
        if time + needed > budget + 1e-9:
            stage, time = stage + 1, 0.0
        done.append((stage, time + needed))
        if is_block_table(each, spans[number]):
            done[-1] = stage + BLOCK_CYCLES, 0.0
    latency = max(1, *(done[output][0] + (done[output][1] > 0) for output in ranged.program.outputs))
    return Schedule(ranged, tuple(stage for stage, _ in done), latency)


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

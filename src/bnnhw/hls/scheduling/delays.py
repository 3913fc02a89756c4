"""How long instructions take in a chip's primitives, and what none of these holds.

Tests: tests/hls/scheduling/test_schedule.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.intervals import Span, width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.ranges import RangedProgram

__all__ = [
    "WIDEST_FACTOR",
    "Delays",
    "check_sizes",
    "compared_bits",
    "cycles_of",
    "delay_behind",
    "delay_of",
    "is_block_table",
    "is_offset",
    "is_sign",
    "lowest_zeros",
]

BLOCK_BITS = 512
"""Bits of a table above which it is block RAM."""
BLOCK_CYCLES = 2
"""From a block RAM's address to its entry."""
MOST_ENTRIES = 2**14
"""Of a table, those of one block RAM."""
WIDEST_FACTOR = 18
"""Bits of what a multiplier takes."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Nanoseconds of a chip's primitives, routing included.

    clock: from a clock edge to a register's output, and before one into it. lut: a LUT. carry, carry_bit: a carry chain
    by itself, and for each bit. multiplier: of one with 0, 1, .. registers inside (before the first one, or before its
    product where there is none; behind the last one). enable, enable_bit: one clock enable that depends on `ready`, and
    for each flip-flop that it reaches.
    """

    clock: float
    lut: float
    carry: float
    carry_bit: float
    multiplier: tuple[tuple[float, float], ...]
    enable: float
    enable_bit: float

    def held_bits(self, clock_hz: float) -> int:
        """Flip-flops that one enable reaches in a cycle."""
        return max(0, int((1e9 / clock_hz - self.enable) / self.enable_bit))


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


def cycles_of(each: Instruction, span: Span) -> int:
    """The registers inside of an instruction's primitive: those of a block RAM, or what a product says."""
    if each.op == "mul" and isinstance(each.attribute, int):
        return each.attribute
    return BLOCK_CYCLES if is_block_table(each, span) else 0


def is_wiring(each: Instruction, instructions: Sequence[Instruction]) -> bool:
    """Whether bits are only chosen: AND and OR with a constant."""
    return each.op in ("and", "or") and any(instructions[arg].op == "const" for arg in each.args)


def is_offset(each: Instruction, instructions: Sequence[Instruction], spans: Sequence[Span]) -> bool:
    """Whether a sum is of codes or signed integers and half of what their bits hold: code - 128, integer + 128. It
    inverts the highest bit."""
    if each.op not in ("add", "sub"):
        return False
    a, b = reversed(each.args) if instructions[each.args[0]].op == "const" and each.op == "add" else each.args
    found, (lo, hi) = instructions[b], spans[a]
    if found.op != "const" or not isinstance(found.attribute, int):
        return False
    value = found.attribute if each.op == "add" else -found.attribute
    half = abs(value)
    return (
        half > 0 and half & (half - 1) == 0 and (lo >= 0 and hi < 2 * half if value < 0 else -half <= lo and hi < half)
    )


def lowest_zeros(value: int) -> int:
    """How many of an integer's lowest bits are 0; of 0 more than it could have."""
    return (value & -value).bit_length() - 1 if value else 64


def compared_bits(each: Instruction, instructions: Sequence[Instruction], spans: Sequence[Span]) -> int:
    """Bits that a comparison sees: those of the wider integer, but for the lowest zeros of a constant bound."""
    bits = zeros = 0
    for position, arg in enumerate(each.args):
        match instructions[arg].op, instructions[arg].attribute:
            case "const", int(value):
                zeros = lowest_zeros(value + (position == 0))  # c >= x is not x >= c + 1
            case _:
                bits = max(bits, width_of(spans[arg]))
    return max(1, bits - zeros)


def is_sign(each: Instruction, instructions: Sequence[Instruction]) -> bool:
    """Whether a comparison reads a sign alone."""
    against = instructions[each.args[1]]
    return each.op == "ge" and against.op == "const" and against.attribute == 0


def delay_of(number: int, instructions: Sequence[Instruction], spans: Sequence[Span], delays: Delays) -> float:
    """The nanoseconds that an instruction takes by itself, or before the registers inside of it."""
    each, span = instructions[number], spans[number]
    bits = max(width_of(spans[one]) for one in (number, *each.args))
    match each.op:
        case "add" | "sub" if is_offset(each, instructions, spans):
            return delays.lut
        case "add" | "sub":
            return delays.carry + delays.carry_bit * bits
        case "ge" if is_sign(each, instructions):
            return 0.0
        case "ge":
            compared = compared_bits(each, instructions, spans)
            bounded = any(instructions[arg].op == "const" for arg in each.args)
            return delays.lut if bounded and compared <= 4 else delays.carry + delays.carry_bit * compared
        case "eq":
            return delays.lut * (1 if bits <= 2 else 2)
        case "and" | "or" | "xor" | "mux":
            return 0.0 if is_wiring(each, instructions) else delays.lut
        case "mul":
            return delays.multiplier[cycles_of(each, span)][0]
        case "table":
            assert isinstance(each.attribute, tuple)
            return delays.lut * (1 if len(each.attribute) <= 16 else 3) if not is_block_table(each, span) else 0.3
    return 0.0


def delay_behind(each: Instruction, span: Span, delays: Delays) -> float:
    """The nanoseconds that an instruction takes behind the last register inside of it."""
    return delays.multiplier[cycles_of(each, span)][1] if each.op == "mul" else 0.0

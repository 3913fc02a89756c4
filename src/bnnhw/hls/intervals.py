"""The least and greatest result of an instruction, from those of what it reads.

Tests: tests/hls/test_intervals.py
"""

from collections.abc import Sequence

from .errors import OperatorError
from .program import Instruction

__all__ = ["Span", "check_index", "interval", "is_signed", "width_of"]

Span = tuple[int, int]


def width_of(span: Span) -> int:
    """Bits of an integer, two's complement where it may be negative."""
    lo, hi = span
    if lo >= 0:
        return hi.bit_length() or 1
    return max((-lo - 1).bit_length(), hi.bit_length() if hi > 0 else 0) + 1


def is_signed(span: Span) -> bool:
    """Whether it may be negative."""
    return span[0] < 0


def interval(instruction: Instruction, instructions: Sequence[Instruction], known: Sequence[Span]) -> Span:
    """An interval that holds every result; `known` are those of the instructions before."""
    spans = [known[arg] for arg in instruction.args]
    match instruction.op, instruction.attribute:
        case "const", int(value):
            return value, value
        case "shl", int(distance):
            return spans[0][0] << distance, spans[0][1] << distance
        case "shr", int(distance):
            return spans[0][0] >> distance, spans[0][1] >> distance
        case "table", tuple(entries):
            check_index(instruction, *spans[0])
            part = entries[spans[0][0] : spans[0][1] + 1]
            return min(part), max(part)
        case "mux", None:
            return _chosen(instruction, instructions, known)
        case (("ge" | "eq"), None):
            return _compared(instruction.op, *spans)
        case (("and" | "or" | "xor"), None):
            return _of_bits(instruction.op, *spans)
    (a, b), (c, d) = spans
    ends = {
        "add": [a + c, b + d],
        "sub": [a - d, b - c],
        "mul": [a * c, a * d, b * c, b * d],
    }[instruction.op]
    return min(ends), max(ends)


def check_index(instruction: Instruction, lo: int, hi: int) -> None:
    """OperatorError where an index from lo to hi is beyond its table."""
    assert isinstance(instruction.attribute, tuple)
    if lo < 0 or hi >= len(instruction.attribute):
        raise OperatorError(
            f"{instruction.place}: the index spans {lo} to {hi}, and the table has entries 0 to "
            f"{len(instruction.attribute) - 1}; clip the index, or give the table more"
        )


def _compared(op: str, one: Span, other: Span) -> Span:
    apart = one[1] < other[0] or other[1] < one[0]
    if op == "eq":
        return (0, 0) if apart else (0, 1)
    return (1, 1) if one[0] >= other[1] else (0, 0) if one[1] < other[0] else (0, 1)


def _of_bits(op: str, one: Span, other: Span) -> Span:
    if one[0] >= 0 and other[0] >= 0:
        most = (1 << max(one[1], other[1]).bit_length()) - 1
        return {"and": (0, min(one[1], other[1])), "or": (max(one[0], other[0]), most), "xor": (0, most)}[op]
    if op == "and" and max(one[0], other[0]) >= 0:
        return 0, min(span[1] for span in (one, other) if span[0] >= 0)
    bits = max(width_of((min(lo, -1), hi)) for lo, hi in (one, other))
    return -(1 << bits - 1), (1 << bits - 1) - 1


def _chosen(instruction: Instruction, instructions: Sequence[Instruction], known: Sequence[Span]) -> Span:
    """Of where(c, a, b). The greater and the lesser of two values, and an absolute value, are known by their form."""
    condition, a, b = instruction.args
    (a_lo, a_hi), (b_lo, b_hi) = known[a], known[b]
    found = instructions[condition]
    if found.op == "ge":
        if found.args == (a, b):
            return max(a_lo, b_lo), max(a_hi, b_hi)
        if found.args == (b, a):
            return min(a_lo, b_lo), min(a_hi, b_hi)
        negated = instructions[b]
        zero = instructions[found.args[1]]
        if found.args[0] == a and zero.attribute == 0 and negated.op == "sub" and negated.args == (found.args[1], a):
            return max(0, a_lo), max(a_hi, -a_lo)
    return min(a_lo, b_lo), max(a_hi, b_hi)

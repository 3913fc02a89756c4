"""Who reads which result, through the wires of shifts.

Tests: tests/hls/scheduling/test_balance.py
"""

from dataclasses import dataclass

from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import RangedProgram

from .delays import cycles_of

__all__ = ["WIRES", "Read", "carried_bits", "reads_of"]

WIRES = ("const", "shl", "shr")
"""What makes nothing new: no registers carry it."""


@dataclass(frozen=True)
class Read:
    """An instruction, or a result of the program where that is None, reads another one's result.

    ahead: so many stages before its own. dropped: how many of the lowest bits it does without.
    """

    reader: int | None
    source: int
    ahead: int
    dropped: int


def reads_of(ranged: RangedProgram) -> list[Read]:
    """All reads; a state reads its next value. Constants are read by nobody: they are there at any time."""
    program = ranged.program
    wires, followings = _wires_of(ranged), program.followings
    reads: list[Read] = []
    for number, each in enumerate(program.instructions):
        if each.op not in WIRES:
            ahead = cycles_of(each, ranged.spans[number])
            args = (followings[number],) if number in followings else each.args
            reads += [Read(number, wires[arg][0], ahead, wires[arg][2]) for arg in args]
    reads += [Read(None, wires[output][0], 0, wires[output][2]) for output in program.outputs]
    return [read for read in reads if program.instructions[read.source].op != "const"]


def carried_bits(ranged: RangedProgram, reads: list[Read]) -> list[int]:
    """Of each result the bits that somebody reads."""
    least: dict[int, int] = {}
    for read in reads:
        least[read.source] = min(read.dropped, least.get(read.source, read.dropped))
    return [max(0, width_of(span) - least.get(number, 0)) for number, span in enumerate(ranged.spans)]


def _wires_of(ranged: RangedProgram) -> list[tuple[int, int, int]]:
    """Of each instruction (whose result it is, how far it is shifted to the left, how many lowest bits are lost)."""
    wires: list[tuple[int, int, int]] = []
    for number, each in enumerate(ranged.program.instructions):
        match each.op, each.attribute:
            case "shl", int(distance):
                source, shift, dropped = wires[each.args[0]]
                wires.append((source, shift + distance, dropped))
            case "shr", int(distance):
                source, shift, dropped = wires[each.args[0]]
                wires.append((source, shift - distance, max(dropped, distance - shift)))
            case _:
                wires.append((number, 0, 0))
    return wires

"""Instructions in the stages in which registers have the fewest bits, at the same latency.

Stages are integers with lower bounds on their differences: each instruction comes behind what it reads, and a stage
behind wherever a path would not fit into a cycle. Of a result the bits wait in registers until the last stage in which
it is read. Such a sum is L-natural convex, so raising the best set of instructions by a stage at a time, beginning from
the earliest stages, ends at the least one (Murota 2003, https://doi.org/10.1137/1.9780898718508); the best set is a
closure. The linear program is that of XLS's scheduler and of retiming (Leiserson and Saxe 1991,
https://doi.org/10.1007/BF01759032).

Tests: tests/hls/scheduling/test_balance.py
"""

from collections.abc import Sequence
from itertools import pairwise

from bnnhw.hls.ranges import RangedProgram

from .ahead import ahead_of
from .closure import best_closure
from .delays import Delays, cycles_of, delay_behind, delay_of, is_block_table
from .loops import loops_of, steps_of
from .reads import WIRES, carried_bits, reads_of

__all__ = ["balance"]

REGISTERS = ("input", "counter", "state")
"""What a stage begins with."""


def balance(
    ranged: RangedProgram, stages: Sequence[int], *, latency: int, clock_hz: float, delays: Delays
) -> tuple[int, ...]:
    """The stages with the fewest register bits, for the earliest ones, `stages`, of this latency."""
    count, instructions = len(stages), ranged.program.instructions
    reads = reads_of(ranged)
    bits = carried_bits(ranged, reads)
    # Element n is the stage of instruction n, element count + n the last one in which its result is read.
    values = [*stages, *stages]
    fixed = {number for number, each in enumerate(instructions) if each.op in ("input", *WIRES)} | ahead_of(ranged)
    limits = [stages[number] if number in fixed else latency for number in range(count)] + [latency] * count
    bounds = _bounds_of(ranged, 1e9 / clock_hz - delays.clock, delays)  # (a, b, d): b's stage is at least a's + d
    for read in reads:
        last = count + read.source
        if read.reader is None:
            values[last] = latency
            each, span = instructions[read.source], ranged.spans[read.source]
            registered = each.op in REGISTERS or is_block_table(each, span)
            limits[read.source] = min(limits[read.source], latency if registered else latency - 1)
        else:
            values[last] = max(values[last], stages[read.reader] - read.ahead)
            bounds += [(read.source, read.reader, read.ahead), (read.reader, last, -read.ahead)]
    bounds += [(number, count + number, 0) for number in range(count)]
    profits, impossible = [*bits, *(-each for each in bits)], -1 - sum(bits)
    while True:
        gains = [
            profit if value < limit else impossible
            for profit, value, limit in zip(profits, values, limits, strict=True)
        ]
        raised = best_closure(gains, [(a, b) for a, b, distance in bounds if values[b] == values[a] + distance])
        if not raised:
            return _with_wires(ranged, values[:count])
        for element in raised:
            values[element] += 1


def _bounds_of(ranged: RangedProgram, budget: float, delays: Delays) -> list[tuple[int, int, int]]:
    """What the clock wants: a loop is in one stage, and the ends of a path that is longer than a cycle in two."""
    instructions, spans = ranged.program.instructions, ranged.spans
    bounds = [
        bound
        for loop in loops_of(ranged.program)
        for one, other in pairwise(number for number in loop if instructions[number].op not in WIRES)
        for bound in ((one, other, 0), (other, one, 0))
    ]
    # Of each instruction the nanoseconds from the beginning of others in its stage to its end, as far as they fit.
    paths: list[dict[int, float]] = [{} for _ in instructions]
    for number in (number for step in steps_of(ranged.program) for number in step):
        each = instructions[number]
        needed = delay_of(number, instructions, spans, delays)
        cycles = cycles_of(each, spans[number])
        reached: dict[int, float] = {}
        for arg in each.args:
            for begin, time in paths[arg].items():
                reached[begin] = max(reached.get(begin, 0.0), time + needed)
        if each.op not in WIRES:
            bounds += [(begin, number, 1 + cycles) for begin, time in reached.items() if time > budget + 1e-9]
            paths[number] = {number: delay_behind(each, spans[number], delays) if cycles else needed}
        if not cycles:
            paths[number] |= {begin: time for begin, time in reached.items() if time <= budget + 1e-9}
    return bounds


def _with_wires(ranged: RangedProgram, stages: list[int]) -> tuple[int, ...]:
    """The stages with those of wires, which are their sources'."""
    for number, each in enumerate(ranged.program.instructions):
        if each.op in ("shl", "shr"):
            stages[number] = stages[each.args[0]]
    return tuple(stages)

"""A program's instructions in stages, at a clock.

Tests: tests/hls/scheduling/test_schedule.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.intervals import width_of
from bnnhw.hls.ranges import RangedProgram

from .balance import balance
from .bounds import round_bounds
from .delays import Delays, cycles_of
from .linear import arrange_sums
from .loops import steps_of
from .placing import Placing, TooFastError
from .products import has_products, register_products
from .reads import carried_bits, reads_of

__all__ = ["Schedule", "schedule"]

MOST_BALANCED = 1000
"""Instructions of a program up to which registers are balanced, which takes a second or two."""


@dataclass(frozen=True)
class Schedule:
    """A program with the stage of each instruction's result; stage s ends in the s-th register, counted from 0.

    What is known ahead is in stages before 0, which is in stage -s for the s-th beat to come. `latency` registers lie
    between the inputs and the results. A state's register is in its stage, and its next value is read there. held_bits:
    of registers that one clock enable reaches in a cycle.
    """

    ranged: RangedProgram
    stages: tuple[int, ...]
    latency: int
    held_bits: int

    def is_held(self, *, groups: int) -> bool:
        """Whether all registers stand still together while a result waits; otherwise none ever does."""
        return self.register_bits(groups=groups) <= self.held_bits

    def register_bits(self, *, groups: int) -> int:
        """Bits of all registers between the stages, and of the states."""
        shared, own = self._register_bits
        return shared + groups * own

    @cached_property
    def _register_bits(self) -> tuple[int, int]:
        """(those that groups have in common, those of each)."""
        last = list(self.stages)
        reads = reads_of(self.ranged)
        for read in reads:
            stage = self.latency if read.reader is None else self.stages[read.reader] - read.ahead
            last[read.source] = max(last[read.source], stage)
        bits = [
            (last[number] - self.stages[number]) * carried
            for number, carried in enumerate(carried_bits(self.ranged, reads))
        ]
        for number in self.ranged.program.followings:
            bits[number] += width_of(self.ranged.spans[number])
        shared = sum(bits[number] for number in self.shared)
        return shared, sum(bits) - shared

    @property
    def weight(self) -> tuple[int, int]:
        """What makes it large: bits of sums and registers; then its latency."""
        sums = sum(
            width_of(span)
            for each, span in zip(self.ranged.program.instructions, self.ranged.spans, strict=True)
            if each.op in ("add", "sub")
        )
        return sums + self.register_bits(groups=1), self.latency

    @property
    def lead(self) -> int:
        """How many beats ahead the counters are."""
        return max(0, -min(self.stages))

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

    def started(self, number: int) -> int:
        """The stage in which an instruction reads its arguments."""
        return self.stages[number] - cycles_of(self.ranged.program.instructions[number], self.ranged.spans[number])


def schedule(ranged: RangedProgram, *, clock_hz: float, delays: Delays) -> Schedule:
    """The program, each instruction as soon as it can be done at this clock, and each loop in one cycle; its sums as
    written, or in the order that is smallest, and its products with as many registers inside as is smallest.

    OperatorError names the author's line where an instruction or a loop takes longer, and a clock at which none does.
    """
    ranged = round_bounds(ranged)
    registers = range(len(delays.multiplier) if has_products(ranged) else 1)
    orders = (None, False, True) if ranged.program.states else (None, False)  # ahead of loops
    found: list[Schedule] = []
    refused: list[OperatorError] = []
    for registered in [register_products(ranged, count) for count in registers]:
        for ahead in orders:
            try:
                arranged = registered
                if ahead is not None:
                    arranged = arrange_sums(registered, clock_hz=clock_hz, delays=delays, ahead=ahead)
                found.append(_placed(arranged, clock_hz=clock_hz, delays=delays))
            except OperatorError as error:
                refused.append(error)
    if not found:
        raise _refusal(ranged, refused, delays)
    best = min(found, key=lambda each: each.weight)
    if len(best.stages) > MOST_BALANCED:
        return best
    stages = balance(best.ranged, best.stages, latency=best.latency, clock_hz=clock_hz, delays=delays)
    return replace(best, stages=stages)


def _refusal(ranged: RangedProgram, refused: Sequence[OperatorError], delays: Delays) -> OperatorError:
    """What is said of a program that no order fits: where it is the clock, with one at which all of it works."""
    too_fast = [error for error in refused if isinstance(error, TooFastError)]
    if not too_fast:
        return refused[-1]
    least = max(too_fast, key=lambda error: error.mhz)
    try:
        schedule(ranged, clock_hz=least.mhz * 1e6, delays=delays)
    except TooFastError as slower:
        return TooFastError(least.reason, slower.mhz)
    return least


def _placed(ranged: RangedProgram, *, clock_hz: float, delays: Delays) -> Schedule:
    program = ranged.program
    placing = Placing(program.instructions, ranged.spans, program.followings, clock_hz=clock_hz, delays=delays)
    for step in steps_of(program):
        placing.place(step)
    done = placing.done
    latency = max(
        1,
        *(stage + (time > 0) for stage, time in map(placing.ready, program.outputs)),
        *(done[number][0] for number in program.followings),
    )
    lead = placing.lead(program.outputs)
    stages = (done[number][0] - (lead if number in placing.ahead else 0) for number in range(len(done)))
    return Schedule(ranged, tuple(stages), latency, delays.held_bits(clock_hz))

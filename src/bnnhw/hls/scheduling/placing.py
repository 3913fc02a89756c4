"""In which cycle each instruction is done: as much in a cycle as its clock allows.

Synthesis moves no register into an adder, so the registers are put where they belong before: as soon as possible, by
delays of the chip's primitives, routing included.

Tests: tests/hls/scheduling/test_schedule.py
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.intervals import Span, width_of
from bnnhw.hls.program import Instruction

from .ahead import is_ahead
from .delays import BLOCK_BITS, Delays, cycles_of, delay_behind, delay_of, is_block_table

__all__ = ["Placing", "TooFastError"]


class TooFastError(OperatorError):
    """At this clock there is no time for an instruction or a loop. mhz: of a clock that has it."""

    def __init__(self, reason: str, mhz: int):
        super().__init__(f"{reason}; a clock of at most {mhz} MHz works, or smaller numbers")
        self.reason, self.mhz = reason, mhz


class Placing:
    """Instructions in stages, as soon as possible. They may become more while they are placed.

    followings: of each state the instruction that makes its next value.
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        spans: Sequence[Span],
        followings: Mapping[int, int],
        *,
        clock_hz: float,
        delays: Delays,
    ):
        self.instructions, self.spans, self.followings = instructions, spans, followings
        self.clock_hz = clock_hz
        self.delays = delays
        self.budget = 1e9 / clock_hz - delays.clock
        self.done: dict[int, tuple[int, float]] = {}  # stage, and nanoseconds into it
        self.ahead: set[int] = set()  # what is known ahead, in stages of its own

    def place(self, step: tuple[int, ...]) -> None:
        """The instructions of a step, in the first stage in which there is time for them."""
        if len(step) > 1:
            self._check_tables(step)
        first = min(step)
        if is_ahead(first, self.instructions, self.spans, self.ahead):
            self.ahead.add(first)
        read = {arg for number in step for arg in self._read(number) if arg not in step}
        ready = max((self._ready_for(first, arg) for arg in read), default=(0, 0.0))
        times = self._times(step, ready[0])
        longest = max(times.values())
        stage = ready[0]
        # Many tables may read one index: so one that is known ahead reads a register, which costs no time.
        waits = first in self.ahead and self.instructions[first].op == "table" and ready[1] > 0
        if waits or longest > self.budget + 1e-9:
            stage += 1
            times = self._times(step, stage)
            longest = max(times.values())
        longest = max(longest, *(delay_behind(self.instructions[n], self.spans[n], self.delays) for n in step))
        if longest > self.budget + 1e-9:
            self._refuse(step, longest)
        self.done |= {number: (stage, time) for number, time in times.items()}
        for number in step:
            each, span = self.instructions[number], self.spans[number]
            if cycles := cycles_of(each, span):
                self.done[number] = stage + cycles, delay_behind(each, span, self.delays)

    def ready(self, number: int) -> tuple[int, float]:
        """The stage in which a result is there, and nanoseconds into it; what is known ahead is there at once."""
        return (0, 0.0) if number in self.ahead else self.done[number]

    def lead(self, outputs: Sequence[int]) -> int:
        """Registers behind the counters until what is known ahead is read, or is one of these results."""
        others = self.done.keys() - self.ahead
        read = {*outputs, *(arg for number in others for arg in self._read(number))} & self.ahead
        return max((self.done[number][0] + (self.done[number][1] > 0) for number in read), default=0)

    def _ready_for(self, reader: int, number: int) -> tuple[int, float]:
        return self.done[number] if reader in self.ahead else self.ready(number)

    def _read(self, number: int) -> list[int]:
        """What an instruction reads, a state its next value; constants are there at any time."""
        each = self.instructions[number]
        read = (self.followings[number],) if number in self.followings else each.args
        return [arg for arg in read if self.instructions[arg].op != "const"]

    def _times(self, step: tuple[int, ...], stage: int) -> dict[int, float]:
        """The nanoseconds into this stage at which each instruction of the step would be done."""
        times: dict[int, float] = {}
        for number in step:
            needed = delay_of(number, self.instructions, self.spans, self.delays)
            begins = 0.0
            for arg in () if number in self.followings else self._read(number):
                if arg in times:
                    begins = max(begins, times[arg])
                elif (ready := self._ready_for(number, arg))[0] == stage:
                    begins = max(begins, ready[1])
            times[number] = begins + needed
        return times

    def _check_tables(self, loop: tuple[int, ...]) -> None:
        for number in loop:
            each, bits = self.instructions[number], width_of(self.spans[number])
            if is_block_table(each, self.spans[number]):
                raise OperatorError(
                    f"{each.place}: a table between a state and its next one must be in LUTs, and has more than "
                    f"{BLOCK_BITS // bits} entries of {bits} bits; take fewer"
                )

    def _refuse(self, step: tuple[int, ...], longest: float) -> NoReturn:
        """TooFastError of what takes too long even where all it reads is in registers."""
        number = max(step, key=lambda number: (bool(self.instructions[number].place), number))
        each = self.instructions[number]
        taken = longest + self.delays.clock
        what = f"{each.op} of {width_of(self.spans[number])} bits" if len(step) == 1 else "from a state to its next one"
        raise TooFastError(
            f"{each.place}: {what} takes {taken:.1f} ns, and a cycle of {self.clock_hz / 1e6:g} MHz has "
            f"{1e9 / self.clock_hz:.1f} ns",
            int(1e3 / taken),
        )

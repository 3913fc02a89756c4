"""Where in its frame a beat is: counters that need neither division nor comparison.

Tests: tests/hw/program/test_beat_loops.py
"""

from collections.abc import Iterable

from amaranth.hdl import Const, Module, Signal, Value

from bnnhw.hw.logic.loop import Loop

__all__ = ["BeatLoops", "plan_loops"]

Counter = tuple[int, int]
"""(every, count): (beat // every) % count."""


def plan_loops(counters: Iterable[Counter], *, period: int, beats: int) -> list[Counter]:
    """The loops that count so in frames of `beats`, and tell the end of each period, the shortest first.

    A loop is stepped by the end of a shorter one, whose length, every * count, divides its own; one whose length does
    not divide the frame begins anew at its end, which a loop then tells, too.
    """
    loops: list[Counter] = []
    lengths = {1}

    def add(every: int, count: int) -> None:
        if (every, count) not in loops:
            tell(every)
            loops.append((every, count))
            lengths.add(every * count)
            if beats % (every * count):
                tell(beats)

    def tell(length: int) -> None:
        if length not in lengths:
            inner = max(known for known in lengths if length % known == 0)
            add(inner, length // inner)

    for every, count in sorted(counters):
        if reached_of(every, count, beats) > 1:
            add(every, reached_of(every, count, beats))
    tell(period)
    return sorted(loops)


def reached_of(every: int, count: int, beats: int) -> int:
    """How many values a counter has in a frame."""
    return min(count, -(-beats // every))


class BeatLoops:
    """The loops of `plan_loops` in `m`; `step` is a beat. They are `ahead` beats ahead."""

    def __init__(
        self, m: Module, step: Value, counters: Iterable[Counter], *, period: int = 1, beats: int, ahead: int = 0
    ):
        self.beats = beats
        loops = {
            (every, count): Loop(f"beat{every}_{every * count}", count, start=ahead % beats // every % count)
            for every, count in plan_loops(counters, period=period, beats=beats)
        }
        self._ends: dict[int, Value] = {1: Const(1, 1)}
        self._values: dict[Counter, Value] = {place: loop.value for place, loop in loops.items()}
        for (every, count), loop in loops.items():
            if every * count not in self._ends:
                self._ends[every * count] = ends = Signal(name=f"ends{every * count}")
                m.d.comb += ends.eq(self._ends[every] & loop.last)
        for (every, count), loop in loops.items():
            with m.If(step & self._ends[every]):
                loop.step(m)
            if beats % (every * count):
                with m.If(step & self._ends[beats]):
                    loop.restart(m)

    def ends(self, length: int) -> Value:
        """Whether the beat is the last of so many: a period, or what a counter counts."""
        return self._ends[length]

    def value(self, every: int, count: int) -> Value:
        """(beat // every) % count."""
        return self._values.get((every, reached_of(every, count, self.beats)), Const(0, 1))

"""Where in its frame a beat is: counters that need neither division nor comparison.

Tests: tests/hw/program/test_pipeline.py
"""

from amaranth.hdl import Const, Module, Signal, Value

from bnnhw.hw.logic.loop import Loop

__all__ = ["BeatLoops"]


class BeatLoops:
    """Loops in `m` that step with `step`, a beat, and begin anew with each frame of `beats`.

    A loop is stepped by the end of a shorter one, whose length divides its own.
    """

    def __init__(self, m: Module, step: Value, *, beats: int):
        self.m = m
        self.step = step
        self.beats = beats
        self._ends: dict[int, Value] = {1: Const(1, 1)}
        self._values: dict[tuple[int, int], Value] = {}

    def ends(self, length: int) -> Value:
        """Whether the beat is the last of so many."""
        if length not in self._ends:
            inner = max(known for known in self._ends if length % known == 0)
            self._count(inner, length // inner)
        return self._ends[length]

    def value(self, every: int, count: int) -> Value:
        """(beat // every) % count."""
        reached = min(count, -(-self.beats // every))
        if reached == 1:
            return Const(0, 1)
        self.ends(every)
        if (every, reached) not in self._values:
            self._count(every, reached)
        return self._values[every, reached]

    def _count(self, every: int, count: int) -> None:
        loop, length = Loop(f"beat{every}_{every * count}", count), every * count
        with self.m.If(self.step & self._ends[every]):
            loop.step(self.m)
        if self.beats % length:
            with self.m.If(self.step & self.ends(self.beats)):
                loop.restart(self.m)
        self._values[every, count] = loop.value
        if length not in self._ends:
            self._ends[length] = ends = Signal(name=f"ends{length}")
            self.m.d.comb += ends.eq(self._ends[every] & loop.last)

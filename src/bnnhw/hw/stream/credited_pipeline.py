"""Pipelines that never stand still: a beat comes in where a queue behind them has room for its result.

Tests: tests/hw/hardwired/test_unit.py
Tests: tests/hw/program/test_pipeline.py
"""

from collections.abc import Generator

from .flow import Channel, Request

__all__ = ["CreditedPipeline", "queue_depth_for"]

RETURN = 3
"""Cycles from a result's leaving to the cycle from which on its credit is there."""
RESERVE = 2
"""Credits that beats of the last two cycles may have taken."""


def queue_depth_for(beats: int, *, least: int) -> int:
    """The depth, a power of two, of a queue that lets so many beats come in from one beat until its result has left."""
    return max(least, 1 << (beats + RESERVE - 1).bit_length())


class CreditedPipeline:
    """The flow of a pipeline with a ResultQueue of so many results and its `credit_left`.

    latency: cycles from a beat to its result at the queue's output `o`.
    """

    def __init__(self, latency: int, depth: int, o: Channel):
        self.latency = latency
        self.o = o
        self._place = -depth  # the result that leaves a place of the queue to the next one
        self._entered = -1

    def moving(self, cycle: int) -> Generator[Request, int, int]:
        """The first cycle from `cycle` on in which a beat may come in. Calls come in the order of time."""
        cycle = max(cycle, (yield self.o.takes, self._place) + RETURN)
        if cycle == self._entered + 1:  # its credit shows a cycle later
            return cycle
        return max(cycle, (yield self.o.takes, self._place + 1) + RETURN)

    def enter(self, cycle: int) -> Generator[Request, int, int]:
        """Takes in a beat with a result, in the first cycle from `cycle` on in which it may, which is the result."""
        self._entered = yield from self.moving(cycle)
        self._place += 1
        self.o.give(self._entered + self.latency)
        return self._entered

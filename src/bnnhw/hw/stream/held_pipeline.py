"""Flows of pipelines that stand still while a beat at their output waits.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections import deque
from collections.abc import Generator, Sequence

from .flow import Channel, Process, Request

__all__ = ["HeldPipeline", "joined_process", "pipeline_process"]


class HeldPipeline:
    """A pipeline of `latency` registers that all stand still while a beat at its output `o` waits."""

    def __init__(self, latency: int, o: Channel):
        self.latency = latency
        self.o = o
        self._leaving: deque[int] = deque()  # when those inside would be offered if none had ever waited
        self._left = 0
        self._waited = 0  # cycles, of those that have left
        self._end = 0  # of the latest wait

    def moving(self, cycle: int) -> Generator[Request, int, int]:
        """The first cycle from `cycle` on in which the pipeline moves. Calls come in the order of time."""
        while self._leaving and (offered := self._leaving[0] + self._waited) <= cycle:
            taken = yield self.o.takes, self._left
            self._leaving.popleft()
            self._left += 1
            if taken > offered:
                self._waited += taken - offered
                self._end = taken
        return max(cycle, self._end)

    def enter(self, cycle: int) -> Generator[Request, int, int]:
        """Takes in a beat, in the first cycle from `cycle` on in which the pipeline moves, which is the result."""
        entered = yield from self.moving(cycle)
        leaving = entered + self.latency - self._waited
        self._leaving.append(leaving)
        self.o.give(leaving, held=True)
        return entered


def pipeline_process(i: Channel, o: Channel, *, latency: int) -> Process:
    """A unit that is such a pipeline, with a beat of its own for each."""
    pipeline = HeldPipeline(latency, o)
    while True:
        i.take((yield from pipeline.enter((yield i))))


def joined_process(inputs: Sequence[Channel], o: Channel, *, latency: int) -> Process:
    """A unit that is such a pipeline, and takes a beat of all its inputs at once."""
    pipeline = HeldPipeline(latency, o)
    while True:
        offered = []
        for i in inputs:
            offered.append((yield i))
        accepted = yield from pipeline.enter(max(offered))
        for i in inputs:
            i.take(accepted)

"""Flows: the exact cycles in which a unit passes beats on, whatever its neighbours do.

No unit looks at its data to decide when it takes or gives a beat. So a few lines of Python that know its queues give
the cycle of every handshake, thousands of times faster than a simulation. A flow is a generator: it is sent the first
cycle in which the next beat is offered, which stays until it is accepted, and yields the cycle in which it is. Of each
beat that it gives, in order, it asks its sink: sink(cycle) is the cycle in which a beat is taken that is offered from
`cycle` on. A started flow's `send` is itself such a sink; so flows form chains.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence

__all__ = [
    "Flow",
    "HeldPipeline",
    "Sink",
    "chain_flows",
    "flow_cycles",
    "pipeline_flow",
    "start_flow",
    "take_at_once",
    "wire_flow",
]

Flow = Generator[int, int, None]
Sink = Callable[[int], int]


def take_at_once(cycle: int) -> int:
    """The sink that never pauses."""
    return cycle


def start_flow(flow: Flow) -> Sink:
    """The flow's input, as the sink of a unit before it."""
    next(flow)
    return flow.send


def flow_cycles(
    flow: Callable[[Sink], Flow], offered: Sequence[int], take: Sink = take_at_once
) -> tuple[list[int], list[int]]:
    """The cycles in which beats that are offered from these cycles on are accepted, and those in which its beats are
    taken by a sink."""
    taken: list[int] = []

    def sink(cycle: int) -> int:
        taken.append(take(cycle))
        return taken[-1]

    send = start_flow(flow(sink))
    accepted: list[int] = []
    for cycle in offered:
        accepted.append(send(max(cycle, accepted[-1] + 1) if accepted else cycle))
    return accepted, taken


def wire_flow(sink: Sink) -> Flow:
    """A unit without a register."""
    accepted = 0
    while True:
        accepted = sink((yield accepted))


def chain_flows(flows: Sequence[Callable[[Sink], Flow]], sink: Sink) -> Flow:
    """The flow of units one after the other."""
    *earlier, last = flows
    flow = last(sink)
    for before in reversed(earlier):
        flow = before(start_flow(flow))
    return flow


class HeldPipeline:
    """A pipeline of `latency` registers that all stand still while a beat at its output waits for the sink."""

    def __init__(self, latency: int, sink: Sink):
        self.latency = latency
        self.sink = sink
        self._waits: deque[tuple[int, int]] = deque()  # begin and end, in order

    def moving(self, cycle: int) -> int:
        """The first cycle from `cycle` on in which the pipeline moves. Calls come in the order of time."""
        while self._waits and self._waits[0][1] <= cycle:
            self._waits.popleft()
        return self._waits[0][1] if self._waits and self._waits[0][0] <= cycle else cycle

    def enter(self, cycle: int) -> int:
        """Takes in a beat, in the first cycle from `cycle` on in which the pipeline moves, which is the result."""
        entered = cycle = self.moving(cycle)
        moves = self.latency
        for begin, end in self._waits:
            if begin >= cycle + moves:
                break
            if begin >= cycle:
                moves -= begin - cycle
                cycle = end
        offered = cycle + moves
        taken = self.sink(offered)
        if taken > offered:
            self._waits.append((offered, taken))
        return entered


def pipeline_flow(sink: Sink, *, latency: int) -> Flow:
    """A unit that is such a pipeline, with a beat of its own for each."""
    pipeline = HeldPipeline(latency, sink)
    accepted = -1
    while True:
        accepted = pipeline.enter((yield accepted))

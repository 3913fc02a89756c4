"""Flows: the exact cycles in which units pass beats on, whatever their neighbours do.

No unit looks at its data to decide when it takes or gives a beat. So a few lines of Python that know its queues give
the cycle of every handshake, thousands of times faster than a simulation. Units are processes, streams the channels
between them: a process waits for the cycle in which the next beat of an input is offered, or in which a beat of an
output was taken, and says when it takes and gives beats itself. What it says never depends on which process runs first
(they form a Kahn network, https://doi.org/10.1016/j.tcs.2005.09.036 has its history), so graphs of units with forks and
joins have exact cycles as chains do; and where the hardware would stand still for ever, no process can go on.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from itertools import chain, count, pairwise

__all__ = [
    "Channel",
    "Flow",
    "Network",
    "Process",
    "Request",
    "Times",
    "chain_flow",
    "flow_cycles",
    "sink_process",
    "wire_process",
]

EARLIER = -(1 << 40)
"""The cycle of what was before the first beat."""


class Times:
    """Cycles of one kind of event in order, which a process may wait for: its request is (times, index), the answer
    the event's cycle. Events before the first one were long ago."""

    def __init__(self) -> None:
        self.cycles: list[int] = []
        self.waiting: tuple[int, Process] | None = None
        self.woken: list[Process] | None = None  # where a run collects those that can go on

    def add(self, cycle: int) -> None:
        """The next event."""
        self.cycles.append(cycle)
        if self.waiting and self.waiting[0] < len(self.cycles):
            assert self.woken is not None  # a process waits, so it runs
            self.woken.append(self.waiting[1])
            self.waiting = None


Request = tuple[Times, int]
Process = Generator[Request, int, None]
Flow = Iterable[Process]
"""The processes of a unit."""


class Channel:
    """A stream between two units: which beats are offered from when on, and when each is taken.

    offers : the first cycle of each beat at the input of the unit behind
    takes : the cycle of its handshake
    """

    def __init__(self) -> None:
        self.offers, self.takes = Times(), Times()
        self._ready: list[tuple[int, bool]] = []
        self._waited = 0

    @property
    def next(self) -> Request:
        """The request for the cycle from which on the next beat is offered."""
        return self.offers, len(self.takes.cycles)

    def take(self, cycle: int) -> None:
        """The unit behind takes the beat that is offered, in this cycle."""
        self._waited += cycle - self.offers.cycles[-1]
        self.takes.add(cycle)
        self._offer()

    def give(self, cycle: int) -> None:
        """The unit before has the next beat from this cycle on; it offers it once the one before was taken."""
        self._ready.append((cycle, False))
        self._offer()

    def give_held(self, cycle: int) -> None:
        """The same for a unit that stands still while a beat waits: so many cycles later as beats will wait from now
        on, counted from the first one on."""
        self._ready.append((cycle, True))
        self._offer()

    def _offer(self) -> None:
        given, offered = len(self._ready), len(self.offers.cycles)
        if offered < given and offered == len(self.takes.cycles):
            cycle, held = self._ready[offered]
            free = self.takes.cycles[-1] + 1 if offered else cycle
            self.offers.add(cycle + self._waited if held else max(cycle, free))


class Network:
    """Processes, and how far they have come."""

    def __init__(self, processes: Iterable[Process]):
        self._ready: list[tuple[Process, int | None]] = [(process, None) for process in processes]
        self._woken: list[Process] = []
        self._requests: dict[Process, Request] = {}

    def run(self) -> None:
        """Runs the processes until none can go on. Called again, it goes on with what was given since."""
        ready, woken, requests = self._ready, self._woken, self._requests
        while ready or woken:
            while woken:
                process = woken.pop()
                times, index = requests.pop(process)
                ready.append((process, times.cycles[index]))
            process, answer = ready.pop()
            times, index = next(process) if answer is None else process.send(answer)
            while index < len(times.cycles):
                times, index = process.send(times.cycles[index] if index >= 0 else EARLIER)
            times.waiting, times.woken, requests[process] = (index, process), woken, (times, index)


def take_at_once(cycle: int) -> int:
    """The sink that never pauses."""
    return cycle


def sink_process(i: Channel, take: Callable[[int], int] = take_at_once) -> Process:
    """Takes each beat in the cycle that `take` makes of the one from which on it is offered."""
    while True:
        i.take(take((yield i.next)))


def flow_cycles(
    flow: Callable[[Channel, Channel], Flow], offered: Sequence[int], take: Callable[[int], int] = take_at_once
) -> tuple[list[int], list[int]]:
    """The cycles in which beats that are offered from these cycles on are accepted, and those in which its beats are
    taken by a sink that takes them by `take`."""
    i, o = Channel(), Channel()
    for cycle in offered:
        i.give(cycle)
    Network([*flow(i, o), sink_process(o, take)]).run()
    return i.takes.cycles, o.takes.cycles


def chain_flow(flows: Sequence[Callable[[Channel, Channel], Flow]], i: Channel, o: Channel) -> Flow:
    """The flow of units one after the other."""
    channels = [i, *(Channel() for _ in flows[1:]), o]
    return chain.from_iterable(flow(*ends) for flow, ends in zip(flows, pairwise(channels), strict=True))


def wire_process(i: Channel, o: Channel) -> Process:
    """A unit without a register."""
    for number in count():
        o.give((yield i.next))
        i.take((yield o.takes, number))

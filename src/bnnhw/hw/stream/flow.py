"""Flows: the exact cycles in which units pass beats on, whatever their neighbours do.

No unit looks at its data to decide when it takes or gives a beat. So a few lines of Python that know its queues give
the cycle of every handshake, thousands of times faster than a simulation. Units are processes, streams the channels
between them: a process waits for the cycle in which the next beat of an input is offered, or in which a beat of an
output was taken, and says when it takes and gives beats itself. What it says never depends on which process runs first
(they form a Kahn network, https://doi.org/10.1016/j.tcs.2005.09.036 has its history), so graphs of units with forks and
joins have exact cycles as chains do; and where the hardware would stand still for ever, no process can go on.

A unit's `flow` takes the channels by the names of its ports and returns its processes: `flow(i=.., o=..)`,
`flow(i=.., o0=.., o1=..)`.

Tests: tests/compiler/dataflow/test_queues.py
"""

from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING

__all__ = [
    "Channel",
    "Flow",
    "Network",
    "Process",
    "Request",
    "Times",
    "flow_cycles",
    "sink_process",
    "wire_process",
]

EARLIER = -(1 << 40)
"""The cycle of what was before the first beat."""


Cycles = array[int] if TYPE_CHECKING else array  # arrays are no generics before Python 3.12


class Times(Cycles):
    """Cycles of one kind of event in order, which a process may wait for: its request is (times, index), the answer
    that event's cycle. Events before the first one were long ago."""

    index = -1
    process: "Process"
    ready: "list[tuple[Process, int | None]]"
    """What waits: for which event, and where a run finds it again."""

    def __new__(cls) -> "Times":
        return super().__new__(cls, "q")  # where lists of a large core's take gigabytes

    def add(self, cycle: int) -> None:
        """The next event."""
        if self.index == len(self):
            self.ready.append((self.process, cycle))
            self.index = -1
        self.append(cycle)


class Channel:
    """A stream between two units: from when on each beat is offered, and when it is taken.

    A process of the unit behind waits for the next beat: its request is the channel, the answer the cycle from which on
    the beat is offered. A process of the unit before waits for one of `takes`, the cycles of the handshakes.
    """

    def __init__(self) -> None:
        self.takes = Times()
        self.offered: int | None = None
        self.process: Process | None = None
        self.ready: list[tuple[Process, int | None]] = []
        self._given: deque[tuple[int, bool]] = deque()
        self._waited = 0

    def take(self, cycle: int) -> None:
        """The unit behind takes the beat that is offered, in this cycle."""
        assert self.offered is not None  # it has asked
        self._waited += cycle - self.offered
        self.takes.add(cycle)
        self.offered = None
        if self._given:
            self._offer(*self._given.popleft())

    def give(self, cycle: int, *, held: bool = False) -> None:
        """The unit before has the next beat from this cycle on; it offers it once the one before was taken.

        If `held` it stands still while a beat waits: this one comes as many cycles later as beats wait on this channel
        until then, counted from the first beat on.
        """
        if self.offered is None:
            self._offer(cycle, held)
        else:
            self._given.append((cycle, held))

    def _offer(self, cycle: int, held: bool) -> None:
        if held:
            cycle += self._waited
        elif self.takes and cycle <= self.takes[-1]:
            cycle = self.takes[-1] + 1
        self.offered = cycle
        if self.process is not None:
            self.ready.append((self.process, cycle))
            self.process = None


Request = Channel | tuple[Times, int]
Process = Generator[Request, int, None]
Flow = Iterable[Process]
"""The processes of a unit."""


class Network:
    """Processes, and how far they have come."""

    def __init__(self, processes: Iterable[Process]):
        self._ready: list[tuple[Process, int | None]] = [(process, None) for process in processes]

    def run(self) -> None:
        """Runs the processes until none can go on. Called again, it goes on with what was given since."""
        ready = self._ready
        while ready:
            process, answer = ready.pop()
            send = process.send
            request = send(answer)  # pyright: ignore[reportArgumentType] None starts it
            while True:
                if request.__class__ is Channel:
                    if (answer := request.offered) is None:
                        request.process, request.ready = process, ready
                        break
                else:
                    times, index = request
                    if index >= len(times):
                        times.index, times.process, times.ready = index, process, ready
                        break
                    answer = times[index] if index >= 0 else EARLIER
                request = send(answer)


def take_at_once(cycle: int) -> int:
    """The sink that never pauses."""
    return cycle


def sink_process(i: Channel, take: Callable[[int], int] = take_at_once) -> Process:
    """Takes each beat in the cycle that `take` makes of the one from which on it is offered."""
    while True:
        i.take(take((yield i)))


def flow_cycles(
    flow: Callable[[Channel, Channel], Flow], offered: Sequence[int], take: Callable[[int], int] = take_at_once
) -> tuple[list[int], list[int]]:
    """The cycles in which beats that are offered from these cycles on are accepted, and those in which its beats are
    taken by a sink that takes them by `take`."""
    i, o = Channel(), Channel()
    for cycle in offered:
        i.give(cycle)
    Network([*flow(i, o), sink_process(o, take)]).run()
    return list(i.takes), list(o.takes)


def wire_process(i: Channel, o: Channel) -> Process:
    """A unit without a register."""
    for number in count():
        o.give((yield i))
        i.take((yield o.takes, number))

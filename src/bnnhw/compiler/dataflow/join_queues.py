"""Queues where paths meet again: as short as lets the core be as fast as with endless ones.

A beat that took the short way waits at the join for its partner on the long way. What the short way cannot hold keeps
the fork from giving the next beat, also to the long way: the core is slower, or stands still. How many beats wait is in
the flows, so each queue is tried, from the first one on, with the fewest beats that change nothing.

In a large core, of many handshakes a frame, that would take minutes. There, queues begin with what waits where one beat
comes after the other, and grow together by half until they are enough.

It is tried in its section alone: what is too short there is too short in the whole. What is enough there mostly is so
in the whole; where it is not, a section is tried behind some of those before it, then behind more of them.

Tests: tests/graphs/test_join_queues.py
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import cached_property

from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.stream.connections import Connection
from bnnhw.hw.stream.flow import Channel
from bnnhw.hw.targets import Target

from .dataflow import Dataflow
from .queues import LEAST_DEPTH, queue_before
from .sections import Section, Sections, narrows_of
from .timing import LARGE, DeadlockError, Timing, core_timing, handshakes, least_interval, run_slowly

Limits = dict[int, int]
"""Beats of the queue in each way into a join, by the way's number among all; 0 where there is none."""

ENDLESS = 2**20
"""More beats than ever wait."""
REACH = 4
"""So many sections stand before one that is tried behind others; where these are too few, so many times as many."""


def with_join_queues(dataflow: Dataflow, *, target: Target) -> tuple[Dataflow, Timing]:
    """The dataflow with a queue in each way into a join that needs one; and its cycles."""
    if not dataflow.joins:
        return dataflow, core_timing(dataflow)
    search = QueueSearch(dataflow, target)
    if search.is_large:
        return search.growing()
    limits = alone = search.alone()
    reach = REACH
    while (found := search.keeping(limits, search.whole)) is None:
        limits = search.behind(reach, alone)
        reach *= REACH
    return found


class QueueSearch:
    """The shortest queues of a dataflow with which it keeps the interval that it has with endless ones."""

    def __init__(self, dataflow: Dataflow, target: Target):
        self.target = target
        self.least = least_interval(dataflow.stages)
        self.endless = insert_queues(dataflow, dict.fromkeys(dataflow.joins, ENDLESS), target)
        channels, frames = run_slowly(self.endless)
        self.is_large = handshakes(channels) > LARGE * frames
        self.held = held_in(self.endless, channels)
        beats = [len(channels[stream].takes) // frames for _, stream in narrows_of(self.endless)]
        self.sections = Sections(dataflow, beats)
        self.whole = self.sections.section(0, len(self.sections) - 1)
        self.guesses: Limits = {}

    @cached_property
    def interval(self) -> int:
        """With endless queues."""
        return core_timing(self.endless).initiation_interval

    def growing(self) -> tuple[Dataflow, Timing]:
        """Queues of what waits where one beat comes after the other, half as many again until these are enough."""
        held = self.held
        while True:
            limits = {place: beats if beats > 1 else 0 for place, beats in zip(self.whole.places, held, strict=True)}
            if found := self.keeping(limits, self.whole):
                return found
            held = [beats + -(-beats // 2) for beats in held]

    def alone(self) -> Limits:
        """The shortest queues of each section by itself."""
        limits: Limits = {}
        for number in range(len(self.sections)):
            section = self.sections.section(number, number)
            self.guesses |= zip(section.places, held_at_rest(section.dataflow, self.target), strict=True)
            limits = self.shortest(limits, section.places, section)
        return limits

    def behind(self, reach: int, alone: Limits) -> Limits:
        """The shortest queues of each section behind so many others; in the whole where there are no more."""
        count = len(self.sections)
        limits = dict.fromkeys(alone, ENDLESS)
        for number in range(count):
            places = self.sections.section(number, number).places
            around = self.sections.section(max(0, number - reach), number) if reach < count else self.whole
            tried = limits | {place: alone[place] for place in places}
            limits = tried if self.keeping(tried, around) else self.shortest(limits, places, around)
        return limits

    def shortest(self, limits: Limits, places: range, section: Section) -> Limits:
        """These limits with those of some places as short as will do in a section, one after the other."""

        def is_enough(changes: Limits) -> bool:
            return self.keeping(limits | changes, section) is not None

        if is_enough(none := dict.fromkeys(places, 0)):
            return limits | none
        limits = limits | dict.fromkeys(places, ENDLESS)
        for place in places:  # a queue on the long way makes that on the short way longer
            if is_enough({place: 0}):
                limits = limits | {place: 0}
        for place in places:
            if limits[place]:
                beats = least_enough(self.guesses[place], lambda beats, place=place: is_enough({place: beats}))
                limits = limits | {place: beats}
        return limits

    def keeping(self, limits: Limits, section: Section) -> tuple[Dataflow, Timing] | None:
        """The section with these queues, and its cycles, if it keeps the interval."""
        ways = zip(section.dataflow.joins, section.places, strict=True)
        beats = {way: limits[place] for way, place in ways if limits[place]}
        queued = insert_queues(section.dataflow, beats, self.target)
        try:
            timing = core_timing(queued)
        except DeadlockError:
            return None
        # No core is faster than its slowest unit, with endless queues either, which take as long to run.
        enough = timing.initiation_interval <= self.least or timing.initiation_interval <= self.interval
        return (queued, timing) if enough else None


def least_enough(guess: int, is_enough: Callable[[int], bool]) -> int:
    """The least number from 1 on that is enough; quickly where it is near the guess."""
    low, high, step = 0, guess, 1  # `low` is not enough, `high` is
    if is_enough(guess):
        while (tried := guess - step) > 0 and is_enough(tried):
            high, step = tried, 2 * step
        low = max(0, tried)
    else:
        low, high = guess, guess + 1
        while not is_enough(high):
            step *= 2
            low, high = high, guess + step
    return low + 1 + bisect_left(range(low + 1, high), True, key=is_enough)


def held_at_rest(dataflow: Dataflow, target: Target) -> list[int]:
    """The most beats in each way into a join where the next one comes when all is at rest: with shorter queues a core
    mostly stands still.

    Of what an endless queue holds, the last beat may as well wait before it.
    """
    endless = insert_queues(dataflow, dict.fromkeys(dataflow.joins, ENDLESS), target)
    return held_in(endless, run_slowly(endless)[0])


def held_in(endless: Dataflow, channels: Mapping[Connection, Channel]) -> list[int]:
    """The same by the handshakes of a dataflow with endless queues."""
    queues = (number for number, stage in enumerate(endless.stages) if isinstance(stage, Queue))
    return [max(1, most_held(*(channels[way] for way in endless.ways(number))) - 1) for number in queues]


def most_held(i: Channel, o: Channel) -> int:
    """The most beats that a unit with a beat out for each one in ever held, those that come and go in a cycle among
    them."""
    return max(number + 1 - bisect_left(o.takes, taken) for number, taken in enumerate(i.takes))


def insert_queues(dataflow: Dataflow, limits: Mapping[Connection, int], target: Target) -> Dataflow:
    """The dataflow with a queue of so many beats in each of these ways into a join."""
    return dataflow.insert(
        {
            way: queue_before(
                dataflow, way, depth=max(LEAST_DEPTH, 1 << (limit - 1).bit_length()), limit=limit, target=target
            )
            for way, limit in limits.items()
        }
    )

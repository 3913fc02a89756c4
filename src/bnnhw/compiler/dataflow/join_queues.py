"""Queues where paths meet again: as short as lets the core be as fast as with endless ones.

A beat that took the short way waits at the join for its partner on the long way. What the short way cannot hold keeps
the fork from giving the next beat, also to the long way: the core is slower, or stands still. How many beats wait is in
the flows, so each queue is tried, from the first one on, with the fewest beats that change nothing.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping

from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.stream.connections import Connection
from bnnhw.hw.stream.flow import Channel
from bnnhw.hw.targets import Target

from .dataflow import Dataflow
from .queues import LEAST_DEPTH, queue_before
from .timing import DeadlockError, core_timing, run_core

GREATEST_LIMIT = 2**20
"""Beats of a queue that is endless."""


def with_join_queues(dataflow: Dataflow, *, target: Target) -> Dataflow:
    """The dataflow with a queue in each way into a join that needs one."""
    joins = dataflow.joins
    if not joins:
        return dataflow
    endless = insert_queues(dataflow, dict.fromkeys(joins, GREATEST_LIMIT), target)
    timing, channels = run_core(endless)

    def is_enough(limits: Mapping[Connection, int]) -> bool:
        try:
            found = core_timing(insert_queues(dataflow, limits, target))
        except DeadlockError:
            return False
        return found.initiation_interval <= timing.initiation_interval

    if is_enough({}):
        return dataflow
    queues = [number for number, stage in enumerate(endless.stages) if isinstance(stage, Queue)]
    held = [most_held(*(channels[way] for way in endless.ways(number))) for number in queues]
    limits = dict(zip(joins, held, strict=True))
    for place in joins:  # a queue on the long way makes that on the short way longer
        less = {other: limit for other, limit in limits.items() if other != place}
        limits = less if is_enough(less) else limits
    for place, most in limits.items():
        limits[place] = least_enough(most, lambda beats, place=place: is_enough({**limits, place: beats}))
    return insert_queues(dataflow, limits, target)


def least_enough(most: int, is_enough: Callable[[int], bool]) -> int:
    """The least number from 1 to `most` that is enough; `most` is."""
    return bisect_left(range(1, most), True, key=is_enough) + 1


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

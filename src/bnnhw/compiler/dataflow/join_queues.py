"""Queues where paths meet again: as short as lets the core be as fast as with endless ones.

A beat that took the short way waits at the join for its partner on the long way. What the short way cannot hold keeps
the fork from giving the next beat, also to the long way: the core is slower, or stands still. How many beats wait is in
the flows, so each queue is tried, from the first one on, with the fewest beats that change nothing.

Tests: tests/test_graphs_in_hardware.py
"""

from collections.abc import Mapping

from bnnhw.compiler.units.queue import Queue
from bnnhw.hw.stream.connections import Connection
from bnnhw.hw.targets import Target

from .dataflow import Dataflow
from .timing import DeadlockError, core_timing

LEAST_DEPTH = 8
GREATEST_LIMIT = 2**20
"""Beats of a queue that is endless."""


def with_join_queues(dataflow: Dataflow, *, target: Target) -> Dataflow:
    """The dataflow with a queue in each way into a join that needs one."""
    limits: dict[Connection, int] = dict.fromkeys(dataflow.joins, GREATEST_LIMIT)
    if not limits:
        return dataflow
    aim = core_timing(insert_queues(dataflow, limits, target)).initiation_interval

    def is_enough(limits: Mapping[Connection, int]) -> bool:
        try:
            timing = core_timing(insert_queues(dataflow, limits, target))
        except DeadlockError:
            return False
        return timing.initiation_interval <= aim

    for place in dataflow.joins:
        less = {other: limit for other, limit in limits.items() if other != place}
        if is_enough(less):
            limits = less
            continue
        enough = LEAST_DEPTH
        while not is_enough({**less, place: enough}):
            enough *= 2
        too_few = 0 if enough == LEAST_DEPTH else enough // 2
        while enough - too_few > 1:
            middle = (enough + too_few) // 2
            if is_enough({**less, place: middle}):
                enough = middle
            else:
                too_few = middle
        limits = {**less, place: enough}
    return insert_queues(dataflow, limits, target)


def insert_queues(dataflow: Dataflow, limits: Mapping[Connection, int], target: Target) -> Dataflow:
    """The dataflow with a queue of so many beats in each of these ways into a join."""
    queues = {}
    for connection, limit in limits.items():
        _, (number, port) = connection
        stage = dataflow.stages[number]
        depth = max(LEAST_DEPTH, 1 << (limit - 1).bit_length())
        queues[connection] = Queue(
            name=f"{stage.name} {port} queue", width=stage.input_width(port), depth=depth, limit=limit, target=target
        )
    return dataflow.insert(queues)

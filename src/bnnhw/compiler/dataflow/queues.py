"""Queues between the units of a core: as many and as large as it takes to let the slowest unit work in every cycle.

The units' own buffers mostly do: a sliding window has room for the next rows, a matrix unit for the next vector. But
where a unit that is nearly as slow as the slowest one gives its rows in another rhythm than the next one takes them,
one waits for the other in each frame, and the frames take longer than the slowest unit does.
"""

from collections.abc import Mapping

from bnnhw.compiler.units.product.window import Window
from bnnhw.compiler.units.queue import Queue
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection
from bnnhw.hw.targets import Target

from .dataflow import Dataflow
from .timing import Timing, core_timing, least_interval

LEAST_DEPTH = 8
GREATEST_DEPTH = 16384


def with_queues(dataflow: Dataflow, plain: Timing) -> tuple[Dataflow, Timing]:
    """The dataflow with queues before those windows that need one, where the slowest unit would have to wait; and its
    cycles, without them `plain`.

    Each queue has the least depth that will do. Where none helps, there are none.
    """
    aim = least_interval(dataflow.stages)

    def reaches_aim(depths: Mapping[Connection, int]) -> bool:
        return core_timing(insert_queues(dataflow, depths)).initiation_interval <= aim

    depths = dict.fromkeys(before_windows(dataflow), GREATEST_DEPTH)
    if plain.initiation_interval <= aim or not reaches_aim(depths):
        return dataflow, plain
    for place in tuple(depths):
        less = {other: depth for other, depth in depths.items() if other != place}
        if reaches_aim(less):
            depths = less
            continue
        depth = LEAST_DEPTH
        while not reaches_aim({**less, place: depth}):
            depth *= 2
        depths[place] = depth
    queued = insert_queues(dataflow, depths)
    return queued, core_timing(queued)


def before_windows(dataflow: Dataflow) -> list[Connection]:
    """The connections from unit to sliding window."""
    return [
        connection
        for number, stage in enumerate(dataflow.stages)
        if isinstance(stage, Window)
        for connection in dataflow.inputs(number)
        if connection[0][0] != OUTSIDE
    ]


def insert_queues(dataflow: Dataflow, depths: Mapping[Connection, int]) -> Dataflow:
    """The dataflow with a queue of so many words in each of these connections to windows."""
    queues: dict[Connection, Stage] = {}
    for connection, depth in depths.items():
        window = dataflow.stages[connection[1][0]]
        assert isinstance(window, Window)
        queues[connection] = queue_before(dataflow, connection, depth=depth, target=window.shape.target)
    return dataflow.insert(queues)


def queue_before(
    dataflow: Dataflow, connection: Connection, *, depth: int, limit: int | None = None, target: Target
) -> Queue:
    """A queue for a connection, called after the unit behind it, and its port where it has several."""
    _, (number, port) = connection
    stage = dataflow.stages[number]
    name = f"{stage.name} {port}" if len(stage.inputs) > 1 else stage.name
    return Queue(name=f"{name} queue", width=stage.input_width(port), depth=depth, limit=limit, target=target)

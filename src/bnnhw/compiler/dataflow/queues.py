"""Queues between the units of a core: as many and as large as it takes to let the slowest unit work in every cycle.

The units' own buffers mostly do: a sliding window has room for the next rows, a matrix unit for the next vector. But
where a unit that is nearly as slow as the slowest one gives its rows in another rhythm than the next one takes them,
one waits for the other in each frame, and the frames take longer than the slowest unit does.
"""

from collections.abc import Mapping, Sequence

from bnnhw.compiler.units.product.window import Window
from bnnhw.compiler.units.queue import Queue
from bnnhw.compiler.units.stage import Stage

from .timing import core_timing, least_interval

LEAST_DEPTH = 8
GREATEST_DEPTH = 16384


def with_queues(stages: Sequence[Stage], *, input_beats: int) -> tuple[Stage, ...]:
    """The stages, with queues before those windows that need one: where the slowest unit would have to wait.

    Each queue has the least depth that will do. Where none helps, there are none.
    """
    aim = least_interval(stages)

    def reaches_aim(depths: Mapping[int, int]) -> bool:
        return core_timing(insert_queues(stages, depths), input_beats=input_beats).initiation_interval <= aim

    if reaches_aim({}):
        return tuple(stages)
    depths = {place: GREATEST_DEPTH for place, stage in enumerate(stages) if isinstance(stage, Window) and place > 0}
    if not reaches_aim(depths):
        return tuple(stages)
    for place in tuple(depths):
        less = {other: depth for other, depth in depths.items() if other != place}
        if reaches_aim(less):
            depths = less
            continue
        depth = LEAST_DEPTH
        while not reaches_aim({**less, place: depth}):
            depth *= 2
        depths[place] = depth
    return insert_queues(stages, depths)


def insert_queues(stages: Sequence[Stage], depths: Mapping[int, int]) -> tuple[Stage, ...]:
    """The stages, with a queue of so many beats before each of these windows, by its index."""
    result: list[Stage] = []
    for place, stage in enumerate(stages):
        if place in depths:
            assert isinstance(stage, Window)
            shape = stage.shape
            queue = Queue(name=f"{stage.name} queue", width=shape.input_width, depth=depths[place], target=shape.target)
            result.append(queue)
        result.append(stage)
    return tuple(result)

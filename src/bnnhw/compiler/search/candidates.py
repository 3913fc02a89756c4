"""What else a network could have become on the device: the smallest design for each of a range of rates."""

from math import sqrt

from bnnhw.compiler.dataflow.schedule import MAX_VECTORS, Schedule

from .graph_search import search_of
from .search import Design, smallest_at

STEPS = range(-8, 9)
"""Each a factor of sqrt(2) in the cycles of a frame, faster ones below 0."""


def find_candidates(schedule: Schedule) -> tuple[Design, ...]:
    """The designs around a schedule's rate that no other one beats in both rate and size, the fastest first.

    Each is the smallest one at its rate by the cost model, and fits the device.
    """
    device = schedule.device
    search = search_of(schedule.pipeline, device.target)
    chosen = schedule.timing.initiation_interval / schedule.vectors
    found: list[Design] = []
    for step in STEPS:
        limit = chosen * sqrt(2) ** step
        design = smallest_at(search, device, cycles_per_frame=limit, counts=range(1, MAX_VECTORS + 1))
        if design is not None and all(device.size(design.resources) < device.size(other.resources) for other in found):
            found.append(design)
    return tuple(found)

"""The exact cycles of a sliding window: which rows wait for which, and what a waiting sink holds up."""

from itertools import count
from typing import TYPE_CHECKING

from .flow import Flow, HeldPipeline, Sink

if TYPE_CHECKING:
    from .window_shape import WindowShape

__all__ = ["window_flow", "window_interval"]


def window_flow(shape: "WindowShape", sink: Sink) -> Flow:
    """See `WindowShape.flow`."""
    pipeline = HeldPipeline(shape.latency, sink)
    rooms = [0] * shape.rows  # the cycles from which there is room for the rows to come
    accepted = free = step = row = 0
    for output_row in count():
        for _ in range(shape.claims[output_row % shape.out_height] if output_row else shape.first_claim):
            free = max(free, rooms[row])
            row += 1
            for _ in range(shape.row_beats):
                accepted = max((yield accepted), free)
                free = accepted + 1
        step = max(step, free)
        for _ in range(shape.row_words):
            step = pipeline.enter(step) + 1
        rooms += [pipeline.moving(step) + 1] * shape.frees[output_row % shape.out_height]


def window_interval(shape: "WindowShape", rows: int) -> int:
    """The cycles from image to image in the steady state, with so many rows in the memory, by rows alone."""
    rooms = [0] * rows
    begins: list[int] = []
    free = step = row = 0
    for output_row in range(4 * shape.out_height):
        for _ in range(shape.claims[output_row % shape.out_height] if output_row else shape.first_claim):
            free = max(free, rooms[row]) + shape.row_beats
            row += 1
        begins.append(max(step, free))
        step = begins[-1] + shape.row_words
        rooms += [step + 1] * shape.frees[output_row % shape.out_height]
    return begins[-1] - begins[-1 - shape.out_height]

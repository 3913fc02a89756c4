"""The exact cycles of a sliding window: which rows wait for which, and what a waiting sink holds up.

Tests: tests/hw/window/test_sliding_window.py
"""

from functools import cache
from itertools import count

from bnnhw.hw.stream.flow import Flow, HeldPipeline, Sink

from .rows import WindowRows

__all__ = ["window_flow", "window_interval"]


def window_flow(order: WindowRows, sink: Sink, *, latency: int, rows: int, row_beats: int, row_words: int) -> Flow:
    """See `WindowShape.flow`.

    rows : that the memory holds
    row_beats, row_words : of an image row, of an output row
    """
    pipeline, out_height = HeldPipeline(latency, sink), len(order.claims)
    rooms = [0] * rows  # the cycles from which there is room for the rows to come
    accepted = free = step = row = 0
    for output_row in count():
        for _ in range(order.claims[output_row % out_height] if output_row else order.first_claim):
            free = max(free, rooms[row])
            row += 1
            for _ in range(row_beats):
                accepted = max((yield accepted), free)
                free = accepted + 1
        step = max(step, free)
        for _ in range(row_words):
            step = pipeline.enter(step) + 1
        rooms += [pipeline.moving(step) + 1] * order.frees[output_row % out_height]


@cache
def window_interval(order: WindowRows, *, rows: int, row_beats: int, row_words: int) -> int:
    """The cycles from image to image in the steady state, with so many rows in the memory, by rows alone.

    row_beats, row_words : of an image row, of an output row
    """
    claims, frees = order.claims, order.frees
    rooms = [0] * rows
    begins: list[int] = []
    free = step = row = 0
    for output_row in range(4 * len(claims)):
        for _ in range(claims[output_row % len(claims)] if output_row else order.first_claim):
            free = max(free, rooms[row]) + row_beats
            row += 1
        begins.append(max(step, free))
        step = begins[-1] + row_words
        rooms += [step + 1] * frees[output_row % len(claims)]
    return begins[-1] - begins[-1 - len(claims)]

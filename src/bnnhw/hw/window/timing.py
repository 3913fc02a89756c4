"""The exact cycles of a sliding window: which rows wait for which, and what a waiting sink holds up.

Tests: tests/hw/window/test_sliding_window.py
"""

from functools import cache
from itertools import count

from bnnhw.hw.stream.flow import Channel, Flow, Process, Times
from bnnhw.hw.stream.held_pipeline import HeldPipeline

from .rows import WindowRows

__all__ = ["window_flow", "window_interval"]


def window_flow(
    order: WindowRows, i: Channel, o: Channel, *, latency: int, rows: int, row_beats: int, row_words: int
) -> Flow:
    """See `WindowShape.flow`.

    rows : that the memory holds
    row_beats, row_words : of an image row, of an output row
    """
    written, freed = Times(), Times()
    return [
        _write_rows(i, written, freed, rows=rows, row_beats=row_beats),
        _read_rows(order, written, freed, HeldPipeline(latency, o), row_words=row_words),
    ]


def _write_rows(i: Channel, written: Times, freed: Times, *, rows: int, row_beats: int) -> Process:
    """Row by row; each is in the memory from the cycle on that is told."""
    free = 0
    for row in count():
        free = max(free, (yield freed, row - rows))
        for _ in range(row_beats):
            accepted = max((yield i), free)
            i.take(accepted)
            free = accepted + 1
        written.add(free)


def _read_rows(order: WindowRows, written: Times, freed: Times, pipeline: HeldPipeline, *, row_words: int) -> Process:
    """The steps of the output rows; the rows that each frees can be replaced from the cycle on that is told."""
    step, rows, out_height = 0, order.first_claim, len(order.claims)
    for output_row in count():
        step = max(step, (yield written, rows - 1))
        for _ in range(row_words):
            step = (yield from pipeline.enter(step)) + 1
        room = (yield from pipeline.moving(step)) + 1
        for _ in range(order.frees[output_row % out_height]):
            freed.add(room)
        rows += order.claims[(output_row + 1) % out_height]


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

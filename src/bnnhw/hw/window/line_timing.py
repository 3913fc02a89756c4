"""The exact cycles of a line buffer: its steps, and the first rows that come in before them.

Tests: tests/hw/window/test_line_buffer.py
"""

from itertools import count

from bnnhw.hw.stream.flow import Channel, Flow, Process, Times
from bnnhw.hw.stream.held_pipeline import HeldPipeline

from .line_shape import LineBufferShape

__all__ = ["line_buffer_flow"]


def line_buffer_flow(shape: LineBufferShape, i: Channel, o: Channel) -> Flow:
    """A step a cycle, those that take in a beat when it is there; a patch is offered `latency` cycles after its step,
    and all stands still while it waits. A first row that is early comes in from the last row of windows on."""
    pipeline = HeldPipeline(shape.latency, o)
    rows, leaving = Times(), Times()  # when first rows were complete; the steps of the last rows of windows
    steps = _take_steps(shape, i, pipeline, rows, leaving)
    return [steps, _take_first_rows(shape, i, pipeline, rows, leaving)] if shape.is_early else [steps]


def _take_steps(shape: LineBufferShape, i: Channel, pipeline: HeldPipeline, rows: Times, leaving: Times) -> Process:
    free = 0
    for frame in count():
        if shape.is_early:
            free = max(free, (yield rows, frame) + 1)
        for number in range(shape.first_row * shape.row_steps, shape.frame_groups):
            row, group = divmod(number, shape.row_steps)
            takes, enter = shape.takes(row, group), pipeline.enter if shape.gives(row, group) else pipeline.moving
            for _ in range(shape.chunks):
                cycle = yield from enter(max(free, (yield i)) if takes else free)
                if takes:
                    i.take(cycle)
                if row >= shape.window_rows[-1]:
                    leaving.add(cycle)
                free = cycle + 1


def _take_first_rows(
    shape: LineBufferShape, i: Channel, pipeline: HeldPipeline, rows: Times, leaving: Times
) -> Process:
    """A beat in a cycle in which the pipeline moves: in one of the last steps of the frame before, or behind them."""
    last = (shape.frame_groups - shape.window_rows[-1] * shape.row_steps) * shape.chunks
    free = 0
    for frame in count():
        step = (frame - 1) * last
        yield leaving, step  # then all beats of the frame before are taken
        step = max(step, 0)
        for _ in range(shape.row_groups * shape.chunks):
            wanted = max(free, (yield i))
            while step < frame * last and (yield leaving, step) < wanted:
                step += 1
            cycle = leaving[step] if step < frame * last else (yield from pipeline.moving(wanted))
            i.take(cycle)
            free = cycle + 1
        rows.add(free - 1)

"""Buffers where `ready` would pass through too many units in one cycle.

In most units the `ready` of an input depends on that of an output, and it is also the clock enable of all their
registers. In a core that fills its chip each of them adds 3 to 4 ns to such a path, in a small one 1 to 2.

Tests: tests/operators/test_ready_paths.py
"""

from bnnhw.compiler.units.buffering import Buffering
from bnnhw.compiler.units.line_buffer import LineBuffering
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection

from .dataflow import Dataflow

__all__ = ["with_buffers"]

MOST_UNITS = 3
"""Units in a row; a line buffer and the program behind it are two."""


def with_buffers(dataflow: Dataflow) -> Dataflow:
    """The dataflow with a buffer before each unit with which a row of them would have too many, or a second line
    buffer."""
    rows: list[list[int]] = []  # of each unit what `ready` passes through from its output on, itself included
    buffers: dict[Connection, Stage] = {}
    for number, stage in enumerate(dataflow.stages):
        if not stage.passes_ready:
            rows.append([])
            continue
        before: list[int] = []
        for connection in dataflow.inputs(number):
            (source, port), _ = connection
            row = [] if source == OUTSIDE else rows[source]
            if is_too_long(row, stage, dataflow):
                width = dataflow.stages[source].gives(port).width
                buffers[connection] = Buffering(name=f"{stage.name} buffer", width=width)
            elif len(row) > len(before):
                before = row
        rows.append([*before, number])
    return dataflow.insert(buffers)


def is_too_long(row: list[int], stage: Stage, dataflow: Dataflow) -> bool:
    """Whether a unit may not stand behind this row of them. No program is torn from its line buffer, whose patches are
    wide."""
    stages = [dataflow.stages[number] for number in row]
    if isinstance(stage, LineBuffering):
        return len(row) + 2 > MOST_UNITS or any(isinstance(each, LineBuffering) for each in stages)
    return len(row) >= MOST_UNITS and not isinstance(stages[-1], LineBuffering)

"""Buffers where `ready` would pass through too many units of operators in one cycle.

The `ready` of a pipeline that is held, and of a line buffer, depends on that of the unit behind it, and it is also the
clock enable of all its registers. Five operators in a row, one of them with a line buffer, are as fast as one by
itself at 150 MHz, and two line buffers are not.

Tests: tests/operators/test_ready_paths.py
"""

from bnnhw.compiler.units.buffering import Buffering
from bnnhw.compiler.units.line_buffer import LineBuffering
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection

from .dataflow import Dataflow

__all__ = ["with_buffers"]

MOST_UNITS = 5
"""Units in a row; a line buffer and the program behind it are two."""


def with_buffers(dataflow: Dataflow) -> Dataflow:
    """The dataflow with a buffer before each unit of an operator with which a row of them would have too many, or a
    second line buffer."""
    rows: list[list[int]] = []  # of each unit what `ready` passes through from its output on, itself included
    buffers: dict[Connection, Stage] = {}
    for number, stage in enumerate(dataflow.stages):
        if not passes_ready(stage):
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


def passes_ready(stage: Stage) -> bool:
    """Whether a unit of an operator has no register between its outputs' `ready` and its inputs'."""
    return isinstance(stage, LineBuffering) or (isinstance(stage, Programmed) and stage.is_held)


def is_too_long(row: list[int], stage: Stage, dataflow: Dataflow) -> bool:
    """Whether a unit may not stand behind this row of them. No program is torn from its line buffer, whose patches are
    wide."""
    stages = [dataflow.stages[number] for number in row]
    if isinstance(stage, LineBuffering):
        return len(row) + 2 > MOST_UNITS or any(isinstance(each, LineBuffering) for each in stages)
    return len(row) >= MOST_UNITS and not isinstance(stages[-1], LineBuffering)

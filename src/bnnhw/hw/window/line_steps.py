"""The counters of a line buffer: where in its frame the step at hand is.

Tests: tests/hw/window/test_line_buffer.py
"""

from collections.abc import Iterable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.loop import Loop, step_loops

from .line_shape import LineBufferShape

__all__ = ["LineSteps", "one_of"]


class LineSteps(wiring.Component):
    """for row, group, chunk: one step in each cycle of `step`.

    Members
    -------
    step : In(1)
    row, group, chunk : Out
        Of the step at hand.
    place : Out
        Its place in the row.
    takes, gives : Out(1)
        See `LineBufferShape`.
    """

    step: Signal
    row: Signal
    group: Signal
    chunk: Signal
    place: Signal
    takes: Signal
    gives: Signal

    def __init__(self, shape: LineBufferShape):
        self.shape = shape
        self.last_row, self.last_group = divmod(shape.frame_groups - 1, shape.row_steps)
        super().__init__(
            {
                "step": In(1),
                "row": Out(range(self.last_row + 1)),
                "group": Out(range(shape.row_steps)),
                "chunk": Out(range(shape.chunks)),
                "place": Out(range(shape.depth)),
                "takes": Out(1),
                "gives": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        chunk, group = Loop("chunk", shape.chunks), Loop("group", shape.row_steps)
        row = Loop("row", self.last_row + 1)
        place = group if shape.chunks == 1 else Loop("place", shape.depth)
        row_phase, column_phase = Loop("row_phase", shape.stride[0]), Loop("column_phase", shape.windows.step)
        whole, row_ends, ends = Signal(), Signal(), Signal()
        # From registers, for i.ready and all counters hang on them.
        last, below, beside = Signal(init=shape.frame_groups == 1), Signal(), Signal()
        m.d.comb += [whole.eq(self.step & chunk.last), row_ends.eq(whole & group.last), ends.eq(whole & last)]
        step_loops(m, self.step, chunk, group, row)
        step_loops(m, row_ends, row_phase)
        step_loops(m, whole, column_phase)
        if place is not group:
            step_loops(m, self.step, place)
        if shape.frame_groups > 1:
            before = divmod(shape.frame_groups - 2, shape.row_steps)
            with m.If(whole):
                m.d.sync += last.eq((row.value == before[0]) & (group.value == before[1]))
        if group.count > shape.row_groups:
            with m.If(whole):
                m.d.sync += beside.eq(~group.last & ((group.value == shape.row_groups - 1) | beside))
        with m.If(row_ends):
            column_phase.restart(m)
            if row.count > shape.height:
                m.d.sync += below.eq((row.value == shape.height - 1) | below)
        with m.If(ends):
            m.d.sync += [below.eq(0), beside.eq(0)]
            for loop in (group, row, place, row_phase, column_phase):
                loop.restart(m)
        wrapped = one_of(group.value, range(shape.lag))
        m.d.comb += [
            self.row.eq(row.value),
            self.group.eq(group.value),
            self.chunk.eq(chunk.value),
            self.place.eq(place.value),
            self.takes.eq(~below & ~beside),
            self.gives.eq(
                Mux(wrapped, self._row_gives(row, row_phase, 1), self._row_gives(row, row_phase, 0))
                & self._group_gives(group, column_phase, wrapped)
            ),
        ]
        return m

    def _row_gives(self, row: Loop, phase: Loop, late: int) -> Value:
        """Whether the row that was at hand `late` rows before is the last one of windows."""
        rows = self.shape.window_rows
        first = rows[0] + late
        return ~one_of(row.value, range(first)) & (phase.value == first % rows.step)

    def _group_gives(self, group: Loop, phase: Loop, wrapped: Value) -> Value:
        """Whether the group completes windows; `wrapped`: those of the row before."""
        windows, lag = self.shape.windows, self.shape.lag
        end = windows[-1] + 1 + lag
        here = ~one_of(group.value, range(end, group.count)) & (phase.value == lag % windows.step)
        behind = one_of(group.value, range(end - group.count)) & (phase.value == (lag - group.count) % windows.step)
        return Mux(wrapped, behind, here)


def one_of(value: Value, numbers: Iterable[int]) -> Value:
    """Whether it is one of a few numbers."""
    return Cat(Const(0, 1), *(value == number for number in numbers)).any()

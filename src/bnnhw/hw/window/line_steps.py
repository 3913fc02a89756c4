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
    """for row, group, chunk: one step in each cycle of `step`; beside the last ones the next frame's first row.

    Members
    -------
    step : In(1)
        Not while `waits`.
    row, group, chunk : Out
        Of the step at hand; rows count from `shape.first_row` on.
    place : Out
        Its place in the row.
    takes, gives : Out(1)
        See `LineBufferShape`.
    keeps : Out(1)
        A row comes that needs the step's.
    waits : Out(1)
        The first row is not complete yet.
    early : Out(1)
        Beats of the first row may come in.
    early_step : In(1)
        One does.
    early_place : Out
        Its place in the row.
    """

    step: Signal
    row: Signal
    group: Signal
    chunk: Signal
    place: Signal
    takes: Signal
    gives: Signal
    keeps: Signal
    waits: Signal
    early: Signal
    early_step: Signal
    early_place: Signal

    def __init__(self, shape: LineBufferShape):
        self.shape = shape
        self.groups = shape.frame_groups - shape.first_row * shape.row_steps
        super().__init__(
            {
                "step": In(1),
                "row": Out(range(-(-self.groups // shape.row_steps))),
                "group": Out(range(shape.row_steps)),
                "chunk": Out(range(shape.chunks)),
                "place": Out(range(shape.depth)),
                "takes": Out(1),
                "gives": Out(1),
                "keeps": Out(1),
                "waits": Out(1),
                "early": Out(1),
                "early_step": In(1),
                "early_place": Out(range(shape.depth)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        chunk, group = Loop("chunk", shape.chunks), Loop("group", shape.row_steps)
        row = Loop("row", -(-self.groups // shape.row_steps))
        place = group if shape.chunks == 1 else Loop("place", shape.depth)
        row_phase, column_phase = Loop("row_phase", shape.stride[0]), Loop("column_phase", shape.windows.step)
        whole, row_ends, ends = Signal(), Signal(), Signal()
        # From registers, for i.ready and all counters hang on them.
        last, below, beside = Signal(init=self.groups == 1), Signal(), Signal()
        m.d.comb += [whole.eq(self.step & chunk.last), row_ends.eq(whole & group.last), ends.eq(whole & last)]
        step_loops(m, self.step, chunk, group, row)
        step_loops(m, row_ends, row_phase)
        step_loops(m, whole, column_phase)
        if place is not group:
            step_loops(m, self.step, place)
        if self.groups > 1:
            before = divmod(self.groups - 2, shape.row_steps)
            with m.If(whole):
                m.d.sync += last.eq((row.value == before[0]) & (group.value == before[1]))
        if group.count > shape.row_groups:
            with m.If(whole):
                m.d.sync += beside.eq(~group.last & ((group.value == shape.row_groups - 1) | beside))
        height = shape.height - shape.first_row
        with m.If(row_ends):
            column_phase.restart(m)
            if row.count > height:
                m.d.sync += below.eq((row.value == height - 1) | below)
        with m.If(ends):
            m.d.sync += [below.eq(0), beside.eq(0)]
            for loop in (group, row, place, row_phase, column_phase):
                loop.restart(m)
        if shape.is_early:
            self._first_row(m, row, row_ends, ends)
        wrapped = one_of(group.value, range(shape.lag))
        m.d.comb += [
            self.row.eq(row.value),
            self.group.eq(group.value),
            self.chunk.eq(chunk.value),
            self.place.eq(place.value),
            self.takes.eq(~(below | beside)),
            self.keeps.eq(~one_of(row.value, range(shape.window_rows[-1] - shape.first_row, row.count))),
            self.gives.eq(
                Mux(wrapped, self._row_gives(row, row_phase, 1), self._row_gives(row, row_phase, 0))
                & self._group_gives(group, column_phase, wrapped)
            ),
        ]
        return m

    def _first_row(self, m: Module, row: Loop, row_ends: Value, ends: Value) -> None:
        """It may come in from the last row of windows on; the steps wait for it."""
        place = Loop("early_place", self.shape.row_groups * self.shape.chunks)
        early, waits, complete = Signal(init=1), Signal(init=1), Signal()
        m.d.comb += [
            complete.eq(self.early_step & place.last),
            self.early.eq(early),
            self.waits.eq(waits),
            self.early_place.eq(place.value),
        ]
        step_loops(m, self.early_step, place)
        with m.If(row_ends & (row.value == self.shape.window_rows[-1] - 2)):
            m.d.sync += early.eq(1)
        with m.If(ends):
            m.d.sync += waits.eq(early)
        with m.If(complete):
            m.d.sync += [early.eq(0), waits.eq(0)]

    def _row_gives(self, row: Loop, phase: Loop, late: int) -> Value:
        """Whether the row that was at hand `late` rows before is the last one of windows."""
        rows = self.shape.window_rows
        first = rows[0] - self.shape.first_row + late
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

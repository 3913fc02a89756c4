"""The reading side of a sliding window: the order of its steps, the addresses, and what lies in the padding.

Tests: tests/hw/window/test_sliding_window.py
"""

from collections.abc import Iterable
from itertools import pairwise

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.loop import Loop, step_loops

from .shape import WindowShape
from .writer import row_starts

__all__ = ["WindowReader"]


class WindowReader(wiring.Component):
    """for y, group, channel group, ky, kx, chunk: one word a step, a step in each cycle of `advance` with `there`.

    All outputs but `row_last` come from registers that wait for `advance`, one such cycle after their step.

    Members
    -------
    advance : In(1)
    there : In(1)
        The rows of the output row at hand are in the memory.
    row_last : Out(1)
        This cycle's step is the last one of an output row.
    claim : Out
        Rows that the next output row needs beyond.
    freed : Out
        Rows that no further step reads.
    valid : Out(1)
    addresses : list of `banks` Signals
    state : Out(range(shape.states))
        See `WindowShape.bank`.
    slot : Out(range(shape.rows))
        Where the word's first row lies, if it has several rows.
    outside : Out(row_taps * columns)
        The columns of the word that lie in the padding, those of its first row lowest.
    """

    advance: Signal
    there: Signal
    row_last: Signal
    claim: Signal
    freed: Signal
    valid: Signal
    state: Signal
    slot: Signal
    outside: Signal

    def __init__(self, shape: WindowShape):
        self.shape = shape
        super().__init__(
            {
                "advance": In(1),
                "there": In(1),
                "row_last": Out(1),
                "claim": Out(range(max(shape.order.claims) + 1)),
                "freed": Out(range(max(shape.order.frees) + 1)),
                "valid": Out(1),
                "addresses": Out((shape.depth - 1).bit_length()).array(shape.banks),
                "state": Out(range(shape.states)),
                "slot": Out(range(shape.rows)),
                "outside": Out(shape.row_taps * shape.columns),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        kh, kw = shape.kernel
        chunk, kx = Loop("chunk", shape.group_chunks), Loop("kx", kw // shape.column_taps)
        ky, group, y = Loop("ky", kh // shape.row_taps), Loop("group", shape.groups), Loop("y", shape.out_height)
        channel_group = Loop("channel_group", shape.channel_groups)
        steps, group_done = Signal(), Signal()  # group_done: beside chunk.last and kx.last
        m.d.comb += [
            group_done.eq(ky.last & channel_group.last),
            steps.eq(self.advance & self.there),
            self.row_last.eq(steps & chunk.last & kx.last & group_done & group.last),
            self.claim.eq(_listed([*shape.order.claims[1:], shape.order.claims[0]], y.value)),
        ]
        step_loops(m, steps, chunk, kx, ky, channel_group, group, y)
        with m.If(self.advance):
            m.d.sync += [self.valid.eq(self.there), self.freed.eq(0)]
            with m.If(self.row_last):
                m.d.sync += self.freed.eq(_listed(shape.order.frees, y.value))

        state, columns = self._columns(m, steps & chunk.last, kx, group, group_done)
        slot = self._slots(m, steps & chunk.last & kx.last, ky, group_done & group.last, y)
        with m.If(self.advance):
            m.d.sync += [
                self.state.eq(state.value),
                self.slot.eq(slot),
                self.outside.eq(self._outside(kx, ky, group, y)),
            ]
        part = chunk.value
        if shape.channel_groups > 1:
            part = (channel_group.value * shape.group_chunks + chunk.value)[: (shape.chunks - 1).bit_length()]
        addresses: dict[tuple, Signal] = {}
        for bank, port in enumerate(self.addresses):
            kind = shape.carries(bank), shape.padding_columns(bank)
            if kind not in addresses:
                row_start = row_starts(shape, -kind[1])[slot]
                addresses[kind] = address = Signal(len(port), name=f"address{len(addresses)}", reset_less=True)
                with m.If(self.advance):
                    m.d.sync += address.eq(Cat(part, (row_start + columns[kind[0]])[: len(row_start)]))
            m.d.comb += port.eq(addresses[kind])
        return m

    def _columns(
        self, m: Module, enable: Value, kx: Loop, group: Loop, group_done: Value
    ) -> tuple[Loop, dict[tuple[int, ...], Signal]]:
        """The state, and the column of each kind of bank."""
        shape = self.shape
        profiles = sorted({shape.carries(bank) for bank in range(shape.banks)})
        columns = {
            profile: Signal(range(shape.row_depth + max(profile) + 1), name=f"column{number}")
            for number, profile in enumerate(profiles)
        }
        if shape.column_taps == 1:
            following = Signal(range(shape.groups + 1))  # the group of the next kernel row
            m.d.comb += following.eq(group.value)
            with m.If(group_done):
                m.d.comb += following.eq(group.value + 1)
                with m.If(group.last):
                    m.d.comb += following.eq(0)
            with m.If(enable):
                for profile, column in columns.items():
                    steps = [b - a for a, b in pairwise(profile)]
                    m.d.sync += column.eq(column + _listed([*steps, 0], kx.value))
                    with m.If(kx.last):
                        m.d.sync += column.eq(following)
            return kx, columns
        phase = Loop("phase", shape.blocks)
        with m.If(enable & group_done):
            phase.step(m)
            for profile, column in columns.items():
                block = profile.count(0) - 1
                m.d.sync += column.eq(column + (phase.value == block))
                with m.If(group.last):
                    m.d.sync += column.eq(0)
            with m.If(group.last):
                phase.restart(m)
        return phase, columns

    def _slots(self, m: Module, enable: Value, ky: Loop, row_done: Value, y: Loop) -> Signal:
        """The slot of row ky, by that of row 0 of the kernel."""
        shape = self.shape
        rows, top, sy, apart = shape.rows, shape.padding[0], shape.stride[0], shape.dilation[0]
        first = -top % rows
        image_step = (shape.height - (shape.out_height - 1) * sy) % rows
        slot, window = (Signal(range(rows), name=name, init=first) for name in ("row_slot", "window_slot"))
        following = Signal(range(rows))
        m.d.comb += following.eq(window)
        with m.If(row_done):
            m.d.comb += following.eq(Array((index + sy) % rows for index in range(rows))[window])
            with m.If(y.last):
                m.d.comb += following.eq(Array((index + image_step) % rows for index in range(rows))[window])
        with m.If(enable):
            m.d.sync += slot.eq(Array((index + apart) % rows for index in range(rows))[slot])
            with m.If(ky.last):
                m.d.sync += [slot.eq(following), window.eq(following)]
        return slot

    def _outside(self, kx: Loop, ky: Loop, group: Loop, y: Loop) -> Value:
        """Which columns of the word at hand lie in the padding."""
        shape = self.shape
        top, _, left, _ = shape.padding
        column_step = shape.stride[1] if shape.column_taps == 1 else 1
        down, across = shape.dilation
        by_column = []
        for column in range(shape.columns):
            pairs = [
                (index, tap)
                for index in range(shape.groups)
                for tap in range(kx.count)
                if not left <= index * shape.block + column * column_step + tap * across < left + shape.width
            ]
            by_column.append(_among(pairs, group, kx))
        by_row = []
        for row in range(shape.row_taps):
            pairs = [
                (index, tap)
                for index in range(shape.out_height)
                for tap in range(ky.count)
                if not top <= index * shape.stride[0] + (row + tap) * down < top + shape.height
            ]
            by_row.append(_among(pairs, y, ky))
        return Cat(row | column for row in by_row for column in by_column)


def _listed(values: Iterable[int], index: Value) -> Value:
    """values[index]; a constant where all are equal."""
    values = list(values)
    bits = max(values).bit_length()
    if len(set(values)) == 1:
        return Const(values[0], bits)
    return Array(Const(value, bits) for value in values)[index]


def _among(pairs: Iterable[tuple[int, int]], outer: Loop, inner: Loop) -> Value:
    """Whether (outer, inner) is one of the pairs."""
    by_outer: dict[int, list[int]] = {}
    for index, tap in pairs:
        by_outer.setdefault(index, []).append(tap)
    result: Value = Const(0, 1)
    for index, taps in by_outer.items():
        inside = Const(1, 1) if len(taps) == inner.count else Cat(inner.value == tap for tap in taps).any()
        result = result | ((outer.value == index) & inside)
    return result

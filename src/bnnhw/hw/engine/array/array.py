"""The engine's array: groups of sums between which words and weights pass, and the stream of their sums.

Tests: tests/hw/engine/array/test_array.py
"""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .group import ArrayGroup
from .shape import ArrayShape

__all__ = ["Array"]

_MERGED = 4  # values that a register's LUT may or


class Array(wiring.Component):
    """sums[pixel, row] of a tile: the mismatches of the pixel's words and the row's weights, planes doubled.

    Row groups end one after the other, a cycle apart, and show their sums for one cycle: so of each pixel the sums of
    `group_rows` rows leave in a cycle, in the row groups' order, through ORs alone. Pixel groups, too, are a cycle
    apart.

    Parameters
    ----------
    shape : ArrayShape

    Members
    -------
    x : In(pixels * simd), border : In(pixels)
        Those of pixel group g are to come g cycles late.
    w : In(rows * simd)
        That of row group g is to come g cycles late.
    double, last, clear : In(1)
        As in `ArrayGroup`. A tile has at least `shape.row_groups` beats and gaps.
    sums : Out(pixels * group_rows * sum_width)
        Of each pixel the sums of a row group: those of row group r and pixel group g are there
        `shape.latency` + r + g cycles after the tile's last beat.
    """

    x: Signal
    border: Signal
    w: Signal
    double: Signal
    last: Signal
    clear: Signal
    sums: Signal

    def __init__(self, shape: ArrayShape):
        self.shape = shape
        super().__init__(
            {
                "x": In(shape.pixels * shape.simd),
                "border": In(shape.pixels),
                "w": In(shape.rows * shape.simd),
                "double": In(1),
                "last": In(1),
                "clear": In(1),
                "sums": Out(shape.pixels * shape.group_rows * shape.sum_width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        weights: list[Value] = [
            self.w.word_select(row, shape.group_rows * shape.simd) for row in range(shape.row_groups)
        ]
        first_controls: tuple[Value, ...] = (self.double, self.last, self.clear)
        sums: list[Value] = []
        for across in range(shape.pixel_groups):
            x: Value = self.x.word_select(across, shape.group_pixels * shape.simd)
            border: Value = self.border.word_select(across, shape.group_pixels)
            controls = first_controls
            shadows: list[Signal] = []
            for down in range(shape.row_groups):
                m.submodules[f"group{across}_{down}"] = group = ArrayGroup(shape)
                m.d.comb += [group.x.eq(x), group.border.eq(border), group.w.eq(weights[down])]
                m.d.comb += Cat(group.double, group.last, group.clear).eq(Cat(*controls))
                x, border, weights[down] = group.x_on, group.border_on, group.w_on
                controls = (group.double_on, group.last_on, group.clear_on)
                if down == 0:
                    first_controls = controls
                shadows.append(group.shadows)
            sums.append(self._merge(m, shadows, name=f"sums{across}"))
        m.d.comb += self.sums.eq(Cat(sums))
        return m

    def _merge(self, m: Module, shadows: list[Signal], *, name: str) -> Value:
        """The OR of all, of which one at most is not 0, `merge_latency` cycles later."""
        values: list[Value] = list(shadows)
        for stage in range(self.shape.merge_latency):
            last = stage == self.shape.merge_latency - 1
            step = len(values) if last else _MERGED
            merged: list[Value] = []
            for part in range(0, len(values), step):
                value = Signal(len(shadows[0]), name=f"{name}_{stage}_{part}", reset_less=True)
                m.d.sync += value.eq(reduce(or_, values[part : part + step]))
                merged.append(value)
            values = merged
        return values[0]

"""A group of an engine's sums: popcounts, accumulators that double, and shadows that show a tile's sums for one cycle.

Tests: tests/hw/engine/array/test_array.py
"""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay, stagger
from bnnhw.hw.product.popcount import count_ones
from bnnhw.hw.targets import Addend

from .shape import ArrayShape

__all__ = ["ArrayGroup"]


class ArrayGroup(wiring.Component):
    """group_pixels x group_rows sums of mismatches, output-stationary.

    A tile's beats come word by word, bit plane by bit plane, the highest plane first. With the beat's mismatches

        following = mismatches + (2 * sum where double, else sum)
        sum       = 0 where clear, else following
        shadow    = following of the tile's last beat, for one cycle; else 0

    The sum and its shadow clear by the flip-flops' own reset, so a tile follows the one before it without a pause, and
    neither that nor doubling costs a LUT. A word outside of the image counts simd / 2 mismatches: a product of 0.

    Parameters
    ----------
    shape : ArrayShape

    Members
    -------
    x : In(group_pixels * simd), border : In(group_pixels)
        The word of each pixel, and whether it lies outside of the image.
    w : In(group_rows * simd)
    double : In(1)
        The first beat of each plane but the first.
    last : In(1)
        The tile's last beat.
    clear : In(1)
        `last`, or no beat at all.
    x_on, border_on, double_on, last_on, clear_on, w_on
        The same a cycle later, for the neighbours.
    shadows : Out(group_pixels * group_rows * sum_width)
        popcount.latency + 3 cycles after `last`: of each pixel its rows.
    """

    x: Signal
    border: Signal
    w: Signal
    double: Signal
    last: Signal
    clear: Signal
    x_on: Signal
    border_on: Signal
    w_on: Signal
    double_on: Signal
    last_on: Signal
    clear_on: Signal
    shadows: Signal

    def __init__(self, shape: ArrayShape):
        self.shape = shape
        words = {
            "x": shape.group_pixels * shape.simd,
            "border": shape.group_pixels,
            "w": shape.group_rows * shape.simd,
            "double": 1,
            "last": 1,
            "clear": 1,
        }
        super().__init__(
            {name: In(width) for name, width in words.items()}
            | {f"{name}_on": Out(width) for name, width in words.items()}
            | {"shadows": Out(shape.group_pixels * shape.group_rows * shape.sum_width)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        latency, starts = shape.popcount.latency, shape.popcount.tap_starts
        for name in ("x", "border", "w", "double", "last", "clear"):
            m.d.sync += getattr(self, f"{name}_on").eq(getattr(self, name))
        x = [
            stagger(m, self.x_on.word_select(pixel, shape.simd), starts, name=f"x{pixel}_")
            for pixel in range(shape.group_pixels)
        ]
        w = [
            stagger(m, self.w_on.word_select(row, shape.simd), starts, name=f"w{row}_")
            for row in range(shape.group_rows)
        ]
        border = delay(m, self.border_on, latency, name="border_late")
        controls = Cat(~self.double_on, self.last_on, self.clear_on)
        keep, last, clear = delay(m, controls, latency + 1, name="controls")
        shadows: list[Signal] = []
        for pixel in range(shape.group_pixels):
            for row in range(shape.group_rows):
                following = self._following(
                    m, x[pixel], w[row], keep=keep, clear=clear, border=border[pixel], name=f"{pixel}_{row}"
                )
                shadow = Signal(shape.sum_width, name=f"shadow{pixel}_{row}", reset_less=True)
                m.d.sync += shadow.eq(0)
                with m.If(last):
                    m.d.sync += shadow.eq(following)
                shadows.append(shadow)
        m.d.comb += self.shadows.eq(Cat(shadows))
        return m

    def _following(
        self, m: Module, x: list[Value], w: list[Value], *, keep: Value, clear: Value, border: Value, name: str
    ) -> Signal:
        """What a sum will be at its next beat; the sum itself is made, too."""
        shape = self.shape
        adders = shape.target.adders(m)
        *_, extra = terms = [Addend(*pair) for pair in zip(x, w, strict=True)]
        count = count_ones(m, shape.popcount, terms, adders=adders, name=name)
        counted = Signal(len(count), name=f"counted{name}", reset_less=True)
        product = Signal(name=f"product{name}", reset_less=True)
        m.d.sync += [counted.eq(count), product.eq(extra.value())]
        with m.If(border):
            m.d.sync += [counted.eq(shape.simd // 2), product.eq(0)]
        total = Signal(shape.sum_width, name=f"sum{name}", reset_less=True)
        following = Signal(shape.sum_width, name=f"following{name}")
        adders.accumulate(
            Addend(counted),
            Addend(product),
            old=total,
            keep=keep,
            start=Cat(Const(0, 1), total[:-1]),
            total=following,
        )
        adders.emit()
        m.d.sync += total.eq(following)
        with m.If(clear):
            m.d.sync += total.eq(0)
        return following

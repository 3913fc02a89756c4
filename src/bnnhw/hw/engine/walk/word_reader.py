"""From a beat to the words of all pixels: a tap's place in every bank, and words that come from the neighbours.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import COORDINATE_BITS, EngineShape
from bnnhw.hw.engine.program.instruction import layer_layout, tap_layout
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

__all__ = ["WordReader"]


class WordReader(wiring.Component):
    """The place of a beat's word, which is the same in all banks, and what becomes of the words read there.

    A word in a column before the strip's first one is the left neighbour's, in one behind its last one the right
    neighbour's; so a tap is at most as far away as a strip is wide. The neighbours' words lie in the same line.

    Members
    -------
    layer : In(layer_layout(shape))
    beat, last : In(1), tap : In(tap_layout(shape))
        A beat and its tap: the tap BLOCK_RAM_LATENCY cycles later.
    address, column, line : In
        The tile's, with the beat.
    read_address : Out
        Of all banks.
    banks : In(pixels * simd)
        What they read, BLOCK_RAM_LATENCY cycles later; those of pixel group g g cycles more.
    x, border, double, last_word, clear : Out
        As `Array` takes them, shape.word_latency cycles after the beat; those of pixel group g g cycles later.
    """

    layer: Any
    beat: Signal
    last: Signal
    tap: Any
    address: Signal
    column: Signal
    line: Signal
    read_address: Signal
    banks: Signal
    x: Signal
    border: Signal
    double: Signal
    last_word: Signal
    clear: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        super().__init__(
            {
                "layer": In(layer_layout(shape)),
                "beat": In(1),
                "last": In(1),
                "tap": In(tap_layout(shape)),
                "address": In(shape.address_bits),
                "column": In(COORDINATE_BITS),
                "line": In(COORDINATE_BITS),
                "read_address": Out(shape.address_bits),
                "banks": In(array.pixels * array.simd),
                "x": Out(array.pixels * array.simd),
                "border": Out(array.pixels),
                "double": Out(1),
                "last_word": Out(1),
                "clear": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        layer, tap = self.layer, self.tap
        late = Cat(self.address, self.column, self.line)
        late = delay(m, late, BLOCK_RAM_LATENCY, name="tile")
        address = Signal(self.shape.address_bits, reset_less=True)
        column = Signal(signed(COORDINATE_BITS + 1), reset_less=True)
        line = Signal(signed(COORDINATE_BITS + 1), reset_less=True)
        bits = self.shape.address_bits
        m.d.sync += [
            address.eq(late[:bits] + tap.offset),
            column.eq(late[bits : bits + COORDINATE_BITS].as_signed() + tap.column.as_signed()),
            line.eq(late[bits + COORDINATE_BITS :].as_signed() + tap.line.as_signed()),
        ]
        left, right, outside = (Signal(name=name) for name in ("left", "right", "outside"))
        behind = Signal(len(address), reset_less=True)
        m.d.sync += [
            left.eq(column < 0),
            right.eq(column >= layer.in_columns),
            outside.eq((line < 0) | (line >= layer.in_lines)),
            behind.eq(address),
        ]
        wrap = Mux(left, layer.in_columns, Mux(right, -layer.in_columns, 0))
        m.d.sync += self.read_address.eq(behind + wrap)
        pixels = self.shape.array.pixels
        border = Signal(pixels, reset_less=True)
        turn = Signal(2, reset_less=True)
        m.d.sync += [
            turn.eq(Cat(left, right)),
            border.eq(
                outside.replicate(pixels)
                | (left.replicate(pixels) & layer.first_pixels)
                | (right.replicate(pixels) & layer.last_pixels)
            ),
        ]
        then = delay(m, Cat(turn, border), BLOCK_RAM_LATENCY + 1, name="turn")
        self._turn(m, then[:2], then[2:])
        self._controls(m)
        return m

    def _turn(self, m: Module, turn: Value, border: Value) -> None:
        """The words' last step: of each pixel its own bank's or a neighbour's, 0 where the border is a code.

        A group waits a cycle for the words of the group behind it. The first pixel has nobody on its left, and the last
        one nobody on its right: there they are beyond the border.
        """
        array = self.shape.array
        banks = [self.banks.word_select(pixel, array.simd) for pixel in range(array.pixels)]
        own = [delay(m, bank, 1, name=f"own{pixel}_") for pixel, bank in enumerate(banks)]
        for pixel in range(array.pixels):
            group, place = divmod(pixel, array.group_pixels)
            if pixel and place == 0:
                turn, border = (
                    delay(m, value, 1, name=f"{name}{group}_") for value, name in ((turn, "turn"), (border, "border"))
                )
            before, after = own[max(pixel - 1, 0)], own[min(pixel + 1, array.pixels - 1)]
            if pixel and place == 0:
                before = delay(m, before, 1, name=f"before{pixel}_")
            if place == array.group_pixels - 1 and pixel + 1 < array.pixels:
                after = banks[pixel + 1]
            word = Signal(array.simd, name=f"word{pixel}", reset_less=True)
            m.d.sync += word.eq(Mux(turn[0], before, Mux(turn[1], after, own[pixel])))
            with m.If(border[pixel] & self.layer.border_code):
                m.d.sync += word.eq(0)
            m.d.comb += self.x.word_select(pixel, array.simd).eq(word)
            product_0 = Signal(name=f"product_0_{pixel}", reset_less=True)
            m.d.sync += product_0.eq(border[pixel] & ~self.layer.border_code)
            m.d.comb += self.border[pixel].eq(product_0)

    def _controls(self, m: Module) -> None:
        beat = delay(m, Cat(self.beat, self.last), BLOCK_RAM_LATENCY, name="beat")
        idle = ~beat[0] | self.tap.idle
        controls = Cat(self.tap.double & ~idle, beat[1], idle | beat[1])
        controls = delay(m, controls, self.shape.word_latency - BLOCK_RAM_LATENCY, name="controls")
        m.d.comb += Cat(self.double, self.last_word, self.clear).eq(controls)

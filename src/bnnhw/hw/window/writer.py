"""The writing side of a sliding window: image pixels to the banks of its rows.

Tests: tests/hw/window/test_sliding_window.py
"""

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.loop import Loop, step_loops
from bnnhw.hw.stream.buffer import flat_stream

from .shape import WindowShape

__all__ = ["WindowWriter"]


class WindowWriter(wiring.Component):
    """Takes rows as long as there is room for them; `i.ready` comes from a register.

    The writes come from registers, one cycle after their beat was accepted.

    Members
    -------
    i : In(stream of unsigned(shape.input_width))
    room : In(1)
        There is room for the row at hand.
    row_done : Out(1)
        The last beat of a row is accepted in this cycle.
    enables : Out(row_banks * banks)
        Bank 0 of row 0 lowest.
    address : Out
        For all banks.
    data : list of `banks` Signals
    """

    i: stream.Interface
    room: Signal
    row_done: Signal
    enables: Signal
    address: Signal

    def __init__(self, shape: WindowShape):
        self.shape = shape
        bits = (shape.depth - 1).bit_length()
        super().__init__(
            {
                "i": In(flat_stream(shape.input_width)),
                "room": In(1),
                "row_done": Out(1),
                "enables": Out(shape.row_banks * shape.banks),
                "address": Out(bits),
                "data": Out(shape.lane_bits).array(shape.banks),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        left = shape.padding[2]
        phases = shape.banks // shape.in_pixels
        chunk, beat = Loop("chunk", shape.chunks), Loop("beat", shape.width // shape.in_pixels)
        phase, slot = Loop("phase", phases), Loop("slot", shape.rows)
        accepts = Signal()
        m.d.comb += [
            self.i.ready.eq(self.room),
            accepts.eq(self.i.valid & self.room),
            self.row_done.eq(accepts & chunk.last & beat.last),
        ]
        step_loops(m, accepts, chunk, beat, slot)

        # A bank takes the same pixel of a beat whenever the phase is its own, and all banks come round together.
        sources = [(bank - left) % shape.in_pixels for bank in range(shape.banks)]
        own = [(bank - left - pixel) // shape.in_pixels % phases for bank, pixel in enumerate(sources)]
        column = Signal(range(shape.row_depth + 1))
        with m.If(accepts & chunk.last):
            phase.step(m)
            with m.If(phase.last):
                m.d.sync += column.eq(column + 1)
            with m.If(beat.last):
                phase.restart(m)
                m.d.sync += column.eq(0)

        writes_row = [Const(1, 1)] if shape.row_banks == 1 else [slot.value == row for row in range(shape.rows)]
        m.d.sync += self.enables.eq(
            Cat(accepts & row & (phase.value == own[bank]) for row in writes_row for bank in range(shape.banks))
        )
        payload = Signal(shape.input_width, reset_less=True)
        m.d.sync += [
            self.address.eq(Cat(chunk.value, row_starts(shape)[slot.value] + column)),
            payload.eq(self.i.payload),
        ]
        for bank in range(shape.banks):
            m.d.comb += self.data[bank].eq(payload.word_select(sources[bank], shape.lane_bits))
        return m


def row_starts(shape: WindowShape, offset: int = 0) -> Array:
    """Where the row in each slot begins, in pixels of a bank, plus `offset`; modulo a power of two that is enough."""
    step = shape.row_depth if shape.row_banks == 1 else 0
    bits = max(1, (shape.rows * step).bit_length(), shape.row_depth.bit_length())
    return Array(Const((slot * step + offset) % (1 << bits), bits) for slot in range(shape.rows))

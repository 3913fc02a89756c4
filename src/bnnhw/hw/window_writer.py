"""The writing side of a sliding window: image pixels to the banks of its rows."""

# pyright: reportGeneralTypeIssues=false, reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# (as amaranth's types say it: `with m.If` is a decorated generator; slices may be IO values)

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .loop import Loop, step_loops
from .stream import flat_stream
from .window_shape import WindowShape

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
    addresses : list of `banks` Signals
    data : list of `banks` Signals
    """

    i: stream.Interface
    room: Signal
    row_done: Signal
    enables: Signal

    def __init__(self, shape: WindowShape):
        self.shape = shape
        bits = (shape.depth - 1).bit_length()
        super().__init__(
            {
                "i": In(flat_stream(shape.input_width)),
                "room": In(1),
                "row_done": Out(1),
                "enables": Out(shape.row_banks * shape.banks),
                "addresses": Out(bits).array(shape.banks),
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

        # Bank j takes pixel i of a beat, whenever the phase is the bank's own. Its column counts from where the row's
        # first pixel of the bank lies.
        sources = [(bank - left) % shape.in_pixels for bank in range(shape.banks)]
        own = [(bank - left - pixel) // shape.in_pixels % phases for bank, pixel in enumerate(sources)]
        firsts = [(left + own[bank] * shape.in_pixels + pixel) // shape.banks for bank, pixel in enumerate(sources)]
        columns = {first: Signal(range(shape.row_depth + 1), init=first, name=f"column{first}") for first in {*firsts}}
        with m.If(accepts & chunk.last):
            phase.step(m)
            with m.If(phase.last):
                m.d.sync += [column.eq(column + 1) for column in columns.values()]
            with m.If(beat.last):
                phase.restart(m)
                m.d.sync += [column.eq(first) for first, column in columns.items()]

        writes_row = [Const(1, 1)] if shape.row_banks == 1 else [slot.value == row for row in range(shape.rows)]
        m.d.sync += self.enables.eq(
            Cat(accepts & row & (phase.value == own[bank]) for row in writes_row for bank in range(shape.banks))
        )
        row_start = row_starts(shape)[slot.value]
        payload = Signal(shape.input_width, name="payload", reset_less=True)
        m.d.sync += payload.eq(self.i.payload)
        addresses = {
            first: Signal(len(self.addresses[0]), name=f"address{first}", reset_less=True) for first in columns
        }
        m.d.sync += [addresses[first].eq(Cat(chunk.value, row_start + column)) for first, column in columns.items()]
        for bank in range(shape.banks):
            m.d.comb += [
                self.addresses[bank].eq(addresses[firsts[bank]]),
                self.data[bank].eq(payload.word_select(sources[bank], shape.lane_bits)),
            ]
        return m


def row_starts(shape: WindowShape) -> Array:
    """Where the row in each slot begins, in pixels of a bank."""
    step = shape.row_depth if shape.row_banks == 1 else 0
    return Array(Const(slot * step, range(max(2, shape.rows * step))) for slot in range(shape.rows))

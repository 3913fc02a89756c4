"""BytePacker: frames of beats as bytes without gaps."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .chunks import FrameShape

__all__ = ["BytePacker"]


class BytePacker(wiring.Component):
    """Bit n of a frame's beats, behind each other, becomes bit n % 8 of its byte n // 8; zeros fill the last one up.

    `step` bits a cycle: a byte lasts 8 / step + 1 cycles and stays in a register until it is taken. `i.ready` depends
    on registers and on `i.valid` alone.

    Parameters
    ----------
    frame : FrameShape
        Of one vector.
    step : int
        A divisor of 8 and of a beat's bits.

    Members
    -------
    i : In(stream of unsigned(frame.vector_bits))
    o : Out(stream of unsigned(8))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, frame: FrameShape, step: int):
        self.frame = frame
        self.step = step
        super().__init__({"i": In(flat_stream(frame.vector_bits)), "o": Out(flat_stream(8))})

    def elaborate(self, platform) -> Module:
        m = Module()
        step, beats = self.step, self.frame.beats
        steps = self.frame.vector_bits // step  # of a beat
        number, beat = Signal(range(steps)), Signal(range(beats))
        last = 8 // step - 1
        in_byte = Signal(range(8 // step))  # steps of the byte so far
        padding, shift = Signal(), Signal()
        m.d.comb += [
            shift.eq((self.i.valid | padding) & ~self.o.valid),
            self.i.ready.eq(shift & ~padding & (number == steps - 1)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(shift):
            value = Mux(padding, 0, self.i.payload.word_select(number, step))
            m.d.sync += [
                self.o.payload.eq((self.o.payload >> step) | value << 8 - step),
                in_byte.eq(in_byte + 1),
                number.eq(number + ~padding),
            ]
            with m.If(in_byte == last):
                m.d.sync += [self.o.valid.eq(1), padding.eq(0)]
        with m.If(self.i.ready):
            m.d.sync += [number.eq(0), beat.eq(beat + 1)]
            with m.If(beat == beats - 1):
                m.d.sync += [beat.eq(0), padding.eq(in_byte != last)]
        return m

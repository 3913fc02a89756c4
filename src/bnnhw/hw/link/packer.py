"""BytePacker: frames of beats as bytes without gaps."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .chunks import FrameShape

__all__ = ["BytePacker"]


class BytePacker(wiring.Component):
    """Bit n of a frame's beats, behind each other, becomes bit n % 8 of its byte n // 8; zeros fill the last one up.

    A bit a cycle: a byte lasts 9 cycles and stays in a register until it is taken. `i.ready` depends on registers and
    on `i.valid` alone.

    Parameters
    ----------
    frame : FrameShape
        Of one vector.

    Members
    -------
    i : In(stream of unsigned(frame.vector_bits))
    o : Out(stream of unsigned(8))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, frame: FrameShape):
        self.frame = frame
        super().__init__({"i": In(flat_stream(frame.vector_bits)), "o": Out(flat_stream(8))})

    def elaborate(self, platform) -> Module:
        m = Module()
        bits, beats = self.frame.vector_bits, self.frame.beats
        bit, beat = Signal(range(bits)), Signal(range(beats))
        in_byte = Signal(3)  # bits of the byte so far
        padding, shift = Signal(), Signal()
        m.d.comb += [
            shift.eq((self.i.valid | padding) & ~self.o.valid),
            self.i.ready.eq(shift & ~padding & (bit == bits - 1)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(shift):
            value = Mux(padding, 0, self.i.payload.bit_select(bit, 1))
            m.d.sync += [
                self.o.payload.eq((self.o.payload >> 1) | value << 7),
                in_byte.eq(in_byte + 1),
                bit.eq(bit + ~padding),
            ]
            with m.If(in_byte == 7):
                m.d.sync += [self.o.valid.eq(1), padding.eq(0)]
        with m.If(self.i.ready):
            m.d.sync += [bit.eq(0), beat.eq(beat + 1)]
            with m.If(beat == beats - 1):
                m.d.sync += [beat.eq(0), padding.eq(in_byte != 7)]
        return m

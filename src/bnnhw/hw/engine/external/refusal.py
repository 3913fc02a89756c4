"""Refusal: what answers packets in the place of an engine that cannot work.

Tests: tests/hw/engine/test_engine_with_memory.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Status
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["Refusal"]


class Refusal(wiring.Component):
    """Answers each packet with a packet of this status, and does nothing of what it says.

    Parameters
    ----------
    status : Status

    Members
    -------
    i, o : streams of WORD bits
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, status: Status):
        self.status = status
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        beat, answers = Signal(range(PACKET_WORDS)), Signal()
        last = beat == PACKET_WORDS - 1
        m.d.comb += [
            self.i.ready.eq(~answers),
            self.o.valid.eq(answers),
            self.o.payload.eq(Mux(beat == 0, self.status, 0)),
        ]
        with m.If(Mux(answers, self.o.ready, self.i.valid)):
            m.d.sync += [beat.eq(Mux(last, 0, beat + 1)), answers.eq(answers ^ last)]
        return m

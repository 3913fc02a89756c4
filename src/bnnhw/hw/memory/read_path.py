"""ReadPath: words from the pins of a chip, at a latency that is found out, to a stream that may stall.

Tests: tests/hw/memory/test_controller.py
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delays
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.result_queue import ResultQueue

from .port import BURST

__all__ = ["LATENCIES", "QUEUE", "ReadPath"]

LATENCIES = 8
"""Cycles, from 0 on, that words may be later than the chip alone makes them: registers at the pins, and wires."""
QUEUE = 64
"""Words: those of the bursts that have begun while the first one's words come back, and of two periods more."""


class ReadPath(wiring.Component):
    """The word that stands at the pins 1 + cas + latency cycles after each cycle of `reading`.

    Parameters
    ----------
    width : int
        Bits of a word.
    cas : int
        Cycles from a read at the chip's pins to its first word there.

    Members
    -------
    begin : In(1)
        A burst begins, and has room.
    reading : In(1)
    latency : In(range(LATENCIES))
    dq : In(width)
        The pins.
    room : Out(1)
        A burst may begin, BURST cycles after the one before.
    o : Out(stream of unsigned(width))
    """

    begin: Signal
    reading: Signal
    latency: Signal
    dq: Signal
    room: Signal
    o: stream.Interface

    def __init__(self, *, width: int, cas: int):
        self.width = width
        self.cas = cas
        super().__init__(
            {
                "begin": In(1),
                "reading": In(1),
                "latency": In(range(LATENCIES)),
                "dq": In(width),
                "room": Out(1),
                "o": Out(flat_stream(width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = ResultQueue(width=self.width, depth=QUEUE)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        past = delays(m, self.reading, self.cas + LATENCIES, name="reading", reset_less=False)
        at_pins = Array(past[1 + self.cas :])[self.latency]
        m.d.sync += [queue.push.eq(at_pins), queue.data.eq(self.dq)]

        credit = Signal(range(QUEUE + 1), init=QUEUE)
        m.d.sync += [
            credit.eq(credit - Mux(self.begin, BURST, 0) + queue.returned),
            self.room.eq(Cat(credit[(BURST - 1).bit_length() :]).any()),
        ]
        return m

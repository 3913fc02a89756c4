"""WritePath: words from a stream that may stall to bursts that may not.

Tests: tests/hw/memory/test_controller.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import LUT_FIFO_DEPTH, Fifo
from bnnhw.hw.targets import Target

from .port import BURST

__all__ = ["WritePath"]


class WritePath(wiring.Component):
    """A queue of words that says when a whole burst is there.

    Parameters
    ----------
    width : int
        Bits of a word.
    target : Target

    Members
    -------
    i : In(stream of unsigned(width))
    words : Out(1)
        A burst is there, beside those that have begun.
    begin : In(1)
        A burst begins.
    writing : In(1)
        Takes a word of it.
    data : Out(width)
        That word.
    """

    i: stream.Interface
    words: Signal
    begin: Signal
    writing: Signal
    data: Signal

    def __init__(self, *, width: int, target: Target):
        self.width = width
        self.target = target
        super().__init__(
            {"i": In(flat_stream(width)), "words": Out(1), "begin": In(1), "writing": In(1), "data": Out(width)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = Fifo(width=self.width, depth=LUT_FIFO_DEPTH, target=self.target)
        wiring.connect(m, wiring.flipped(self.i), queue.i)
        m.d.comb += [self.data.eq(queue.o.payload), queue.o.ready.eq(self.writing)]
        # A word is in the queue's output in time, as its burst has BURST - 1 words more to wait for.
        there = Signal(range(2 * LUT_FIFO_DEPTH))
        accepted = self.i.valid & self.i.ready
        m.d.sync += [there.eq(there + accepted - Mux(self.begin, BURST, 0)), self.words.eq(there >= BURST)]
        return m

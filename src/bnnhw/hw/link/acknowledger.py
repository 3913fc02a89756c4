"""Acknowledger: which chunks of an image have left the buffer.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

from .chunks import Chunks

__all__ = ["TAKEN_BITS", "Acknowledger"]

TAKEN_BITS = 24
"""Cat(sequence (8 bits), number of the chunk (16 bits))."""
IMAGES_IN_BUFFER = 32


class Acknowledger(wiring.Component):
    """Tells when a chunk that is not its image's last one has left the buffer.

    What waits at `o` gives way to the next chunk, which says the same of all before it.

    Parameters
    ----------
    chunks : Chunks
        Of an image, at least two.
    target : Target

    Members
    -------
    opened : In(1)
        An image begins, whose number is `sequence`: before its first beat leaves.
    sequence : In(8)
    left : In(1)
        A beat leaves the buffer.
    o : Out(stream of unsigned(TAKEN_BITS))
    """

    opened: Signal
    sequence: Signal
    left: Signal
    o: stream.Interface

    def __init__(self, *, chunks: Chunks, target: Target):
        self.chunks = chunks
        self.target = target
        super().__init__(
            {"opened": In(1), "sequence": In(8), "left": In(1), "o": Out(flat_stream(TAKEN_BITS))},
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        chunks = self.chunks
        m.submodules.sequences = sequences = Fifo(width=8, depth=IMAGES_IN_BUFFER, target=self.target)
        m.d.comb += [sequences.i.payload.eq(self.sequence), sequences.i.valid.eq(self.opened)]
        beats = (chunks.count - 1) * chunks.beats + chunks.last_beats
        position = Signal(range(beats))
        number = position[chunks.beats.bit_length() - 1 :]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.left):
            m.d.sync += position.eq(position + 1)
            with m.If(position == beats - 1):
                m.d.sync += position.eq(0)
                m.d.comb += sequences.o.ready.eq(1)
            with m.Elif((position & chunks.beats - 1) == chunks.beats - 1):
                m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(Cat(sequences.o.payload, number))]
        return m

"""ImageTracker: how far an image has come, chunk by chunk.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .chunks import Chunks

__all__ = ["ImageTracker"]


class ImageTracker(wiring.Component):
    """Says which chunk is the next one, and makes up what a failed image lacks.

    An image of one chunk is never open: its one chunk is always the next, and the last.

    Parameters
    ----------
    chunks : Chunks
        Of an image.

    Members
    -------
    sequence : In(8)
        With `kept`: the image's.
    kept : In(1)
        The next chunk is there.
    failed : In(1)
        The open image will not be completed.
    written : In(1)
        While `filling`: a beat has been made up.
    open : Out(1)
        Some chunks are there, and some are not.
    open_sequence : Out(8)
        The open image's, or the last one's.
    number : Out(16)
        Of the next chunk: 0 where no image is open.
    last : Out(1)
        The next chunk is its image's last one.
    filling : Out(1)
        Beats are to be made up.
    """

    sequence: Signal
    kept: Signal
    failed: Signal
    written: Signal
    open: Signal
    open_sequence: Signal
    number: Signal
    last: Signal
    filling: Signal

    def __init__(self, *, chunks: Chunks):
        self.chunks = chunks
        super().__init__(
            {
                "sequence": In(8),
                "kept": In(1),
                "failed": In(1),
                "written": In(1),
                "open": Out(1),
                "open_sequence": Out(8),
                "number": Out(16),
                "last": Out(1),
                "filling": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        chunks = self.chunks
        if chunks.count == 1:
            m.d.comb += self.last.eq(1)
            return m
        beats = (chunks.count - 1) * chunks.beats + chunks.last_beats
        position = Signal(range(beats))  # in beats; of whole chunks but where it fills
        arrived = position[chunks.beats.bit_length() - 1 :]
        m.d.comb += self.number.eq(Mux(self.open, arrived, 0))
        m.d.sync += self.last.eq(self.open & (arrived == chunks.count - 1))
        with m.If(self.kept):
            m.d.sync += [position.eq(position + chunks.beats), self.open.eq(1), self.open_sequence.eq(self.sequence)]
            with m.If(self.last):
                m.d.sync += [position.eq(0), self.open.eq(0)]
        with m.If(self.failed):
            m.d.sync += [self.open.eq(0), self.filling.eq(1)]
        with m.If(self.filling & self.written):
            m.d.sync += position.eq(position + 1)
            with m.If(position == beats - 1):
                m.d.sync += [position.eq(0), self.filling.eq(0)]
        return m

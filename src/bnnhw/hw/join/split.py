"""Split: some channels of a stream for each reader."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow

from .fork import Fork, fork_process

__all__ = ["Split"]


class Split(wiring.Component):
    """o_k[p, c] = i[p, start_k + c], c from 0 to below stop_k - start_k: a Fork whose outputs give some channels each.

    Beats hold whole pixels. Parts may overlap, and need not cover all channels.

    Parameters
    ----------
    channels : int
        Of a pixel of `i`.
    parts : sequence of (start, stop)
        The channels of each output; at least 2.
    pixels : int
        Pixels side by side.
    bits : int
        Of an element.

    Members
    -------
    i : In(stream of unsigned(pixels * channels * bits))
    o0, o1, .. : Out(stream of unsigned(pixels * (stop - start) * bits))
    """

    i: stream.Interface

    def __init__(self, *, channels: int, parts: Sequence[tuple[int, int]], pixels: int = 1, bits: int = 1):
        for start, stop in parts:
            if not 0 <= start < stop <= channels:
                raise ValueError(f"parts={parts} must be (start, stop) with 0 <= start < stop <= channels={channels}")
        self.channels = channels
        self.parts = tuple(parts)
        self.pixels = pixels
        self.bits = bits
        self._fork = Fork(width=pixels * channels * bits, outputs=len(self.parts))
        ports = {
            f"o{number}": Out(flat_stream(pixels * (stop - start) * bits))
            for number, (start, stop) in enumerate(self.parts)
        }
        super().__init__({"i": In(flat_stream(self._fork.width)), **ports})

    def __repr__(self) -> str:
        return f"Split(channels={self.channels}, parts={self.parts}, pixels={self.pixels}, bits={self.bits})"

    def flow(self, i: Channel, **outputs: Channel) -> Flow:
        """A fork's."""
        return [fork_process(i, tuple(outputs.values()))]

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fork = fork = self._fork
        wiring.connect(m, wiring.flipped(self.i), fork.i)
        for number, (start, stop) in enumerate(self.parts):
            whole, part = getattr(fork, f"o{number}"), getattr(self, f"o{number}")
            pixels = [whole.payload.word_select(pixel, self.channels * self.bits) for pixel in range(self.pixels)]
            m.d.comb += [
                part.payload.eq(Cat(pixel[start * self.bits : stop * self.bits] for pixel in pixels)),
                part.valid.eq(whole.valid),
                whole.ready.eq(part.ready),
            ]
        return m

"""Dealer and Collector: single images for a core whose vectors travel in lockstep, and its results one by one."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

from .settings import lane_depth

__all__ = ["Collector", "Dealer"]


def add_lanes(m: Module, vectors: int, *, bits: int, beats: int, target: Target) -> list[Fifo]:
    """The queues of the vectors, each of which holds an image, or a result, of `beats` beats."""
    lanes = [Fifo(width=bits, depth=lane_depth(target.fabric, beats), target=target) for _ in range(vectors)]
    for number, lane in enumerate(lanes):
        m.submodules[f"lane{number}"] = lane
    return lanes


class Dealer(wiring.Component):
    """Lays up to `vectors` images side by side (scatter).

    A group leaves when it is full, or when no further image is there; the vectors without an image carry anything.
    Images that came without a pause leave without one. The next group is gathered after it.

    Parameters
    ----------
    bits, beats : int
        Of one image: bits of a beat, and beats.
    vectors : int
        At least 2.
    target : Target

    Members
    -------
    i : In(stream of unsigned(bits))
        Whole images; between two that are there together, i.valid stays high.
    o : Out(stream of unsigned(vectors * bits))
    images : Out(range(vectors + 1))
        How many images are in the group that leaves; holds while `o.valid`.
    """

    i: stream.Interface
    o: stream.Interface
    images: Signal

    def __init__(self, *, bits: int, beats: int, vectors: int, target: Target):
        self.bits = bits
        self.beats = beats
        self.vectors = vectors
        self.target = target
        super().__init__(
            {
                "i": In(flat_stream(bits)),
                "o": Out(flat_stream(vectors * bits)),
                "images": Out(range(vectors + 1)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        lanes = add_lanes(m, self.vectors, bits=self.bits, beats=self.beats, target=self.target)
        filled = Signal(self.vectors)  # lane by lane, from the lowest on
        filling = Signal(self.vectors)
        leaving = Signal()
        m.d.comb += filling.eq(~filled & (filled << 1 | 1))
        for number, lane in enumerate(lanes):
            m.d.comb += [
                lane.i.payload.eq(self.i.payload),
                lane.i.valid.eq(self.i.valid & self.i.ready & filling[number]),
                lane.o.ready.eq(self.o.valid & self.o.ready),
            ]
        m.d.comb += [
            self.o.payload.eq(Cat(lane.o.payload for lane in lanes)),
            self.o.valid.eq(leaving & (Cat(lane.o.valid for lane in lanes) | ~filled).all()),
        ]

        beat = Signal(range(self.beats))
        last = beat == self.beats - 1
        with m.FSM():
            with m.State("GATHER"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += beat.eq(beat + 1)
                    with m.If(last):
                        m.d.sync += [beat.eq(0), filled.eq(filled << 1 | 1), self.images.eq(self.images + 1)]
                        with m.If(filled[-2]):
                            m.d.sync += leaving.eq(1)
                            m.next = "LEAVE"
                with m.Elif((beat == 0) & filled[0]):
                    m.d.sync += leaving.eq(1)
                    m.next = "LEAVE"
            with m.State("LEAVE"), m.If(self.o.valid & self.o.ready):
                m.d.sync += beat.eq(beat + 1)
                with m.If(last):
                    m.d.sync += [beat.eq(0), filled.eq(0), self.images.eq(0), leaving.eq(0)]
                    m.next = "GATHER"
        return m


class Collector(wiring.Component):
    """Gives the results of each group vector by vector, and only those of its images (gather).

    Parameters
    ----------
    bits, beats : int
        Of one result: bits of a beat, and beats.
    vectors : int
        At least 2.
    target : Target

    Members
    -------
    i : In(stream of unsigned(vectors * bits))
    images : In(stream of range(vectors + 1))
        How many images are in each group.
    o : Out(stream of unsigned(bits))
    """

    i: stream.Interface
    images: stream.Interface
    o: stream.Interface

    def __init__(self, *, bits: int, beats: int, vectors: int, target: Target):
        self.bits = bits
        self.beats = beats
        self.vectors = vectors
        self.target = target
        super().__init__(
            {
                "i": In(flat_stream(vectors * bits)),
                "images": In(flat_stream(vectors.bit_length())),
                "o": Out(flat_stream(bits)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        lanes = add_lanes(m, self.vectors, bits=self.bits, beats=self.beats, target=self.target)
        vector = Signal(range(self.vectors))
        beat = Signal(range(self.beats))
        taken = Signal()
        # The last lane is emptied last, so it is the fullest.
        m.d.comb += self.i.ready.eq(lanes[-1].i.ready)
        for number, lane in enumerate(lanes):
            m.d.comb += [
                lane.i.payload.eq(self.i.payload.word_select(number, self.bits)),
                lane.i.valid.eq(self.i.valid & self.i.ready),
                lane.o.ready.eq(taken & (vector == number)),
            ]
        wanted, there = Signal(), Signal()
        m.d.comb += [
            there.eq(Array(lane.o.valid for lane in lanes)[vector] & self.images.valid),
            wanted.eq(vector < self.images.payload),
            self.o.payload.eq(Array(lane.o.payload for lane in lanes)[vector]),
            self.o.valid.eq(there & wanted),
            taken.eq(there & (self.o.ready | ~wanted)),
        ]
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == self.beats - 1):
                m.d.sync += [beat.eq(0), vector.eq(vector + 1)]
                with m.If(vector == self.vectors - 1):
                    m.d.sync += vector.eq(0)
                    m.d.comb += self.images.ready.eq(1)
        return m

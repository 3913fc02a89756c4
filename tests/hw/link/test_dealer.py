"""Dealer and Collector back to back: every image comes out once, in order, from the vector that its turn gave it."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import random
from itertools import pairwise

import pytest
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.link.dealer import Collector, Dealer
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import PORTABLE
from tests.hw.scenario import run_scenario

BITS = 6


class DealtAndCollected(wiring.Component):
    """Deals images to `vectors` wires, each of which adds its number in the two highest bits, and collects them."""

    def __init__(self, *, beats: int, vectors: int):
        self.beats = beats
        self.vectors = vectors
        super().__init__({"i": In(flat_stream(BITS)), "o": Out(flat_stream(BITS + 2))})

    def elaborate(self, platform):
        m = Module()
        sizes = {"beats": self.beats, "vectors": self.vectors, "target": PORTABLE}
        m.submodules.dealer = dealer = Dealer(bits=BITS, **sizes)
        m.submodules.collector = collector = Collector(bits=BITS + 2, **sizes)
        m.submodules.counts = counts = Fifo(width=len(dealer.images), depth=32, target=PORTABLE)
        wiring.connect(m, wiring.flipped(self.i), dealer.i)
        wiring.connect(m, counts.o, collector.images)
        wiring.connect(m, collector.o, wiring.flipped(self.o))
        beat = Signal(range(self.beats))
        taken = dealer.o.valid & dealer.o.ready
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == self.beats - 1):
                m.d.sync += beat.eq(0)
        numbered = (Cat(dealer.o.payload.word_select(v, BITS), Const(v, 2)) for v in range(self.vectors))
        m.d.comb += [
            collector.i.valid.eq(dealer.o.valid),
            collector.i.payload.eq(Cat(numbered)),
            dealer.o.ready.eq(collector.i.ready),
            counts.i.valid.eq(taken & (beat == 0)),
            counts.i.payload.eq(dealer.images),
        ]
        return m


def beats_of(images: int, beats: int) -> list[int]:
    return [random.Random(index).getrandbits(BITS) for index in range(images * beats)]


@pytest.mark.parametrize(("beats", "vectors"), [(1, 2), (1, 4), (3, 3), (40, 2)])
@pytest.mark.parametrize("stalls", [(0, 0), (0.8, 0), (0, 0.8), (0.3, 0.3)])
def test_hands_through(beats, vectors, stalls):
    sent = beats_of(13, beats)
    dut = DealtAndCollected(beats=beats, vectors=vectors)
    trace = run_scenario(dut, sent, outputs=len(sent), stalls=stalls, seed=beats)
    assert [beat & (1 << BITS) - 1 for beat in trace.outputs] == sent
    turns = [beat >> BITS for beat in trace.outputs[::beats]]
    assert turns[0] == 0
    assert all(turn in (0, before + 1) for before, turn in pairwise(turns))


def test_fills_groups_while_images_are_there():
    sent = beats_of(8, 3)
    dut = DealtAndCollected(beats=3, vectors=3)
    trace = run_scenario(dut, sent, outputs=len(sent), stalls=(0, 0))
    assert [beat >> BITS for beat in trace.outputs[::3]] == [0, 1, 2, 0, 1, 2, 0, 1]


def test_sends_a_lonely_image_off():
    sent = beats_of(4, 2)
    dut = DealtAndCollected(beats=2, vectors=3)
    trace = run_scenario(dut, sent, outputs=len(sent), stalls=(0, 0), input_cycles=[0, 1, 100, 101, 102, 103, 200, 230])
    assert [beat >> BITS for beat in trace.outputs[::2]] == [0, 0, 1, 0]

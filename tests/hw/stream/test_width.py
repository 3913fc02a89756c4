"""WidthConverter: elements in order, and the cycles that its timing function predicts."""

import itertools
import math
import random

import pytest

from bnnhw.hw.stream.width import WidthConverter
from tests.hw.scenario import pack, run_scenario, unpack

LANES = [(1, 4), (4, 1), (2, 6), (6, 2), (3, 3), (4, 6), (6, 4), (3, 2), (2, 3)]


def convert(in_lanes, out_lanes, *, width=3, vectors=1, seed=0, **scenario):
    """Sends whole groups of random elements through; returns the trace and each vector before and after."""
    rng = random.Random(seed)
    elements = 4 * math.lcm(in_lanes, out_lanes)
    sent = [[rng.getrandbits(width) for _ in range(elements)] for _ in range(vectors)]
    beats = [
        pack([value for frame in sent for value in frame[start : start + in_lanes]], width)
        for start in range(0, elements, in_lanes)
    ]
    dut = WidthConverter(width=width, in_lanes=in_lanes, out_lanes=out_lanes, vectors=vectors)
    trace = run_scenario(dut, beats, outputs=elements // out_lanes, seed=seed, **scenario)
    received = [[] for _ in range(vectors)]
    for beat in trace.outputs:
        values = unpack(beat, width, vectors * out_lanes)
        for vector in range(vectors):
            received[vector] += values[vector * out_lanes : (vector + 1) * out_lanes]
    return trace, sent, received


@pytest.mark.parametrize(("in_lanes", "out_lanes"), LANES)
@pytest.mark.parametrize("vectors", [1, 3])
@pytest.mark.parametrize("stalls", [(0.3, 0.3), (0, 0.6), (0.6, 0)])
def test_elements_keep_their_order(in_lanes, out_lanes, vectors, stalls):
    for seed in range(2):
        _, sent, received = convert(in_lanes, out_lanes, vectors=vectors, seed=seed, stalls=stalls)
        assert received == sent


@pytest.mark.parametrize(("in_lanes", "out_lanes"), LANES)
@pytest.mark.parametrize("pause", [0, 1, 3])
def test_timing_is_exact(in_lanes, out_lanes, pause):
    rng = random.Random(pause)
    beats = 4 * math.lcm(in_lanes, out_lanes) // in_lanes
    offered = list(itertools.accumulate(rng.randint(1, 1 + pause) for _ in range(beats)))
    _, sent, received = convert(in_lanes, out_lanes, stalls=(0, 0), input_cycles=offered)
    assert received == sent


@pytest.mark.parametrize(("in_lanes", "out_lanes"), [(1, 4), (4, 1), (2, 6), (6, 2), (3, 3)])
def test_multiples_lose_no_cycle(in_lanes, out_lanes):
    trace, _, _ = convert(in_lanes, out_lanes, stalls=(0, 0))
    narrow = trace.input_cycles if in_lanes <= out_lanes else trace.output_cycles
    assert narrow == list(range(narrow[0], narrow[0] + len(narrow)))


@pytest.mark.parametrize("name", ["width", "in_lanes", "out_lanes", "vectors"])
def test_options_are_checked(name):
    options = {"width": 1, "in_lanes": 1, "out_lanes": 1, "vectors": 1}
    with pytest.raises(ValueError, match=rf"^{name}=0 must be at least 1$"):
        WidthConverter(**(options | {name: 0}))


def test_repr_is_source():
    source = "WidthConverter(width=2, in_lanes=3, out_lanes=6, vectors=2)"
    assert repr(WidthConverter(width=2, in_lanes=3, out_lanes=6, vectors=2)) == source

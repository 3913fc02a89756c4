"""Beats to bytes: every bit in its place, frame after frame, under stalls."""

import random

import numpy as np
import pytest

from bnnhw.hw.link.chunks import FrameShape
from bnnhw.hw.link.packer import BytePacker
from tests.hw.scenario import run_scenario

FRAMES = 5


def packed(beats: list[int], bits: int) -> list[int]:
    flat = [beat >> bit & 1 for beat in beats for bit in range(bits)]
    return np.packbits(flat, bitorder="little").tolist()


@pytest.mark.parametrize(
    ("frame", "step"),
    [
        *(((elements, lanes, width), 1) for elements, lanes, width in ((1, 1, 1), (8, 1, 1), (10, 1, 7), (9, 3, 11))),
        *(((10, 5, 3), 1), ((1, 1, 4), 1), ((1, 1, 4), 4), ((3, 1, 6), 2), ((10, 5, 2), 2), ((7, 1, 4), 2)),
        *(((9, 3, 4), 4), ((3, 1, 8), 1), ((3, 1, 8), 8), ((9, 3, 16), 8), ((5, 1, 24), 4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("stalls", [(0, 0), (0.8, 0), (0, 0.95), (0.3, 0.7)], ids=str)
def test_packs(frame: tuple[int, int, int], step: int, stalls: tuple[float, float]):
    shape = FrameShape(*frame)
    rng = random.Random(sum(frame))
    sent = [[rng.getrandbits(shape.vector_bits) for _ in range(shape.beats)] for _ in range(FRAMES)]
    expected = [byte for beats in sent for byte in packed(beats, shape.vector_bits)]
    beats = [beat for frame_beats in sent for beat in frame_beats]
    trace = run_scenario(
        BytePacker(frame=shape, step=step), beats, outputs=len(expected), stalls=stalls, seed=sum(frame)
    )
    assert trace.outputs == expected

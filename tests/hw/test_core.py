"""Core: units in a row."""

import random

import pytest

from bnnhw.hw.core import Core
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.stream.width import WidthConverter

from .scenario import run_scenario


@pytest.mark.parametrize("seed", [0, 1])
def test_units_follow_each_other(seed):
    units = [
        WidthConverter(width=4, in_lanes=2, out_lanes=1),
        StreamBuffer(width=4),
        WidthConverter(width=2, in_lanes=2, out_lanes=4),
    ]
    core = Core(units=units, input_lanes=2, input_width=4, output_lanes=4, output_width=2)
    beats = [random.Random(seed).getrandbits(8) for _ in range(50)]
    assert run_scenario(core, beats, outputs=50, seed=seed).outputs == beats


@pytest.mark.parametrize(
    ("widths", "options", "message"),
    [
        ([], {}, r"^units must hold at least one unit$"),
        (
            [4, 6],
            {},
            r"^units\[0\] StreamBuffer\(width=4\) gives beats of 4 bits, but units\[1\] StreamBuffer\(width=6\) takes "
            r"6 bits; put a WidthConverter between them$",
        ),
        ([4], {"input_lanes": 3}, r"^vectors=1 \* input_lanes=3 \* input_width=2 must be the 4 bits of the units'"),
        ([4], {"output_width": 8}, r"^vectors=1 \* output_lanes=1 \* output_width=8 must be the 4 bits of the"),
        ([4], {"vectors": 2}, r"^vectors=2 \* input_lanes=2 \* input_width=2 must be the 4 bits"),
    ],
)
def test_widths_must_fit(widths, options, message):
    shape = {"input_lanes": 2, "input_width": 2, "output_lanes": 1, "output_width": 4}
    with pytest.raises(ValueError, match=message):
        Core(units=[StreamBuffer(width=width) for width in widths], **(shape | options))

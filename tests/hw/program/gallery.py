"""Operators as programs on the beats of a stream: what cells, registers and clocks are measured on."""

from dataclasses import dataclass

import numpy as np

from bnnhw import hls
from bnnhw.hls.operator import Operator
from bnnhw.hls.program import State
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.reach import reach_of
from tests.hls.operators import grey, leaky_relu, row_sum, smooth, sobel, white_balance

__all__ = ["GALLERY", "Entry"]

GAMMA = hls.table(np.round(255 * (np.arange(256) / 255) ** (1 / 2.2)).astype(int))
STEPS = 640
"""Pixels of a row."""


@hls.pointwise
def gamma(x):
    return GAMMA[x]


@hls.window(1, 3, padding=((0, 0), (1, 1)))
def fir(w):
    return (5 * w[0, 0] + 22 * w[0, 1] + 5 * w[0, 2] + 16) >> 5


@hls.pointwise
def hard_swish(x):
    return (x * np.clip(x + 48, 0, 96) * 171) >> 14


@hls.pixelwise
def abc_sum(s):
    return (156 * s[0] + 69 * s[1] + 33 * s[2] + 128) >> 8


@hls.window(3, 3, padding=1)
def peaks(w):
    return np.where(w[1, 1] >= w.max(axis=(0, 1)), w[1, 1], 0)


@hls.window(3, 3, padding=1)
def median(w):
    low, middle, high = sorted_three(*w)
    return sorted_three(low.max(axis=0), sorted_three(*middle)[1], high.min(axis=0))[1]


def sorted_three(a, b, c):
    a, b = np.minimum(a, b), np.maximum(a, b)
    b, c = np.minimum(b, c), np.maximum(b, c)
    a, b = np.minimum(a, b), np.maximum(a, b)
    return a, b, c


@hls.window(5, 5, padding=2)
def box5(w):
    return (w.sum(axis=(0, 1)) * 41) >> 10


@hls.window(3, 3, padding=1)
def unsharp(w):
    blurred = (w.sum(axis=(0, 1)) * 57) >> 9
    return np.clip(2 * w[1, 1] - blurred, 0, 255)


@hls.window(3, 3, padding=1, per_channel=False)
def chroma(w):
    mean = (w.sum(axis=(0, 1)) * 57) >> 9
    return mean[0] - mean[1], mean[2] - mean[1]


@hls.pixelwise
def top1(scores):
    return np.argmax(scores, axis=0)


@dataclass(frozen=True)
class Entry:
    """An operator, the channels it reads and their range, and how often it stands side by side."""

    operator: Operator
    channels: int
    span: tuple[int, int]
    groups: int = 1

    @property
    def ranged(self) -> RangedProgram:
        """On codes from 0 on, as in hardware; parameters by channel come one after the other."""
        traced, builder = self.operator.traced(self.channels), Builder()
        program = traced.program
        inputs = builder.coded(program.inputs - len(traced.parameters), self.span, 1)
        channel = builder.counter(1, self.channels)
        inputs += [builder.make("table", channel, attribute=each) for each in traced.parameters]
        reach = reach_of(program, self.span, 1, STEPS) if program.states else None
        states = [builder.state(number, span) for number, span in enumerate(reach.states)] if reach else []
        found = builder.replay(program, inputs, states, reach.results if reach else None)
        outputs, following = found[: len(program.outputs)], found[len(program.outputs) :]
        pairs = zip(program.states, following, strict=True)
        kept = [State(state.init, number) for state, number in pairs]
        return builder.finish_codes(outputs, builder.range_of(outputs), kept)


BYTE = (0, 255)
GALLERY = {
    entry.operator.name: entry
    for entry in (
        Entry(leaky_relu, 1, (-128, 127), groups=8),
        Entry(white_balance, 3, BYTE),
        Entry(grey, 3, BYTE),
        Entry(sobel, 1, BYTE),
        Entry(median, 1, BYTE),
        Entry(row_sum, 1, BYTE),
        Entry(smooth, 1, BYTE),
        Entry(gamma, 1, BYTE),
        Entry(fir, 1, BYTE),
        Entry(hard_swish, 1, (-128, 127)),
        Entry(abc_sum, 3, (-128, 127)),
        Entry(peaks, 1, BYTE),
        Entry(box5, 1, BYTE),
        Entry(unsharp, 1, BYTE),
        Entry(chroma, 3, BYTE),
        Entry(top1, 10, (-32, 31)),
    )
}

"""Exact cycles of a core, from the timing that each unit documents; tests compare them with the simulated ones.

Source and sink never pause. `initiation_interval` counts cycles from group to group of `vectors` frames in the steady
state: the slowest unit's, because every matrix unit takes in its next vectors while it works, and gives out results
from a queue. `latency` counts from the first accepted input beat of a group to its last output beat, in a core that
was idle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from bnnhw.hw.label_select import label_select_timing
from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.score_table import score_table_timing
from bnnhw.hw.width import width_converter_timing

from .pipeline import Pipeline


@dataclass(frozen=True)
class Timing:
    """Cycles of a group of `vectors` frames."""

    initiation_interval: int
    latency: int


def core_timing(pipeline: Pipeline, shapes: Sequence[MatrixShape]) -> Timing:
    """The cycles of a pipeline whose matrix units have these shapes."""
    beats = list(range(shapes[0].words))
    lanes = shapes[0].simd
    interval = output_interval(pipeline, pe=shapes[-1].pe, vectors=shapes[-1].vectors)
    for shape in shapes:
        beats = width_converter_timing(beats, in_lanes=lanes, out_lanes=shape.simd)[1]
        beats = shape.output_cycles(beats[-1])
        interval = max(interval, converter_interval(shape.cols, lanes, shape.simd), shape.initiation_interval)
        lanes = shape.pe
    if pipeline.table is not None:
        beats = score_table_timing(beats, lanes=lanes, vectors=shapes[-1].vectors)[1]
    if pipeline.label:
        beats = label_select_timing(beats, classes=pipeline.classes, lanes=lanes)[1]
    return Timing(interval, beats[-1])


def converter_interval(elements: int, in_lanes: int, out_lanes: int) -> int:
    """Cycles from vector to vector in a width converter: one for each beat of its narrowest place."""
    return elements // gcd(in_lanes, out_lanes)


def output_interval(pipeline: Pipeline, *, pe: int, vectors: int) -> int:
    """Cycles from group to group in the units behind a last layer with `pe` lanes."""
    interval = pipeline.classes if pipeline.label else 0
    if pipeline.table is not None:
        beats = pipeline.classes // pe
        accepted, _ = score_table_timing([0] * (beats + 1), lanes=pe, vectors=vectors)
        interval = max(interval, accepted[beats])
    return interval

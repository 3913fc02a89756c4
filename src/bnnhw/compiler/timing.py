"""Exact cycles of a core, from the timing that each unit documents; tests compare them with the simulated ones.

Source and sink never pause. `initiation_interval` counts cycles from group to group of `vectors` frames in the steady
state: the slowest unit's, because every matrix unit takes in its next vectors while it works, and gives out results
from a queue. `latency` counts from the first accepted input beat of a group to its last output beat, in a core that
was idle.
"""

from dataclasses import dataclass
from math import gcd

from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.width import width_converter_timing


@dataclass(frozen=True)
class Timing:
    """Cycles of a group of `vectors` frames."""

    initiation_interval: int
    latency: int


def core_timing(shapes: tuple[MatrixShape, ...]) -> Timing:
    """The cycles of matrix units in a row, with the width converters between them."""
    offered = list(range(shapes[0].words))
    lanes = shapes[0].simd
    intervals = []
    for shape in shapes:
        if lanes != shape.simd:
            offered = width_converter_timing(offered, in_lanes=lanes, out_lanes=shape.simd)[1]
            intervals.append(shape.cols // gcd(lanes, shape.simd))
        offered = shape.output_cycles(offered[-1])
        intervals.append(shape.initiation_interval)
        lanes = shape.pe
    return Timing(max(intervals), offered[-1])

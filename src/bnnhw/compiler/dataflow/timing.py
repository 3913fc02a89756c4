"""Exact cycles of a core, from the flows of its units; tests compare them with the simulated ones.

Source and sink never pause. `initiation_interval` counts cycles from group to group of `vectors` frames in the steady
state. `latency` counts from the first accepted input beat of a group to its last output beat, in a core that was idle.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.flow import Channel, Network, chain_flow, sink_process

MOST_FRAMES = 64
"""Frames after which a core is taken to be in its steady state, at the latest."""


@dataclass(frozen=True)
class Timing:
    """Cycles of a group of `vectors` frames."""

    initiation_interval: int
    latency: int


def core_timing(stages: Sequence[Stage], *, input_beats: int) -> Timing:
    """The cycles of these units, one after the other, for frames of so many beats.

    The state is steady when three frames in a row have left at the same distance.
    """
    i, o = Channel(), Channel()
    network = Network([*chain_flow([stage.flow for stage in stages], i, o), sink_process(o)])
    ends: list[int] = []
    for frame in count():
        for _ in range(input_beats):
            i.give(0)
        network.run()
        ends.append(o.takes[-1])
        if frame >= MOST_FRAMES or (frame > 2 and ends[-1] - ends[-2] == ends[-2] - ends[-3] == ends[-3] - ends[-4]):
            return Timing(ends[-1] - ends[-2], ends[0] - i.takes[0])
    raise AssertionError("a count has no end")


def least_interval(stages: Sequence[Stage]) -> int:
    """The slowest unit's cycles from frame to frame: no core of these units is faster."""
    return max(stage.interval for stage in stages)

"""Exact cycles of a core, from the timing that each unit documents; tests compare them with the simulated ones.

Source and sink never pause. `initiation_interval` counts cycles from group to group of `vectors` frames in the steady
state: the slowest unit's, because every unit takes in its next vectors while it works. `latency` counts from the first
accepted input beat of a group to its last output beat, in a core that was idle.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .stages import Stage


@dataclass(frozen=True)
class Timing:
    """Cycles of a group of `vectors` frames."""

    initiation_interval: int
    latency: int


def core_timing(stages: Sequence[Stage], *, input_beats: int) -> Timing:
    """The cycles of these units, one after the other, for frames of so many beats."""
    beats = list(range(input_beats))
    for stage in stages:
        beats = stage.timing(beats)[1]
    return Timing(max(stage.interval for stage in stages), beats[-1])

"""Exact cycles of a core, from the flows of its units; tests compare them with the simulated ones.

Source and sink never pause. `initiation_interval` counts cycles from group to group of `vectors` frames in the steady
state. `latency` counts from the first accepted input beat of a group to its last output beat, in a core that was idle.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count, pairwise

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import Connection, channels_of, connect_flows
from bnnhw.hw.stream.flow import Channel, Network, sink_process

from .dataflow import Dataflow

MOST_FRAMES = 64
"""Frames after which a core is taken to be in its steady state, at the latest."""
LONG = 2**30
"""More cycles than a beat takes to the end of any core."""

LARGE = 60_000
"""Handshakes of a frame above which each frame that is run takes seconds: of such a core as few are as will do."""


@dataclass(frozen=True)
class Timing:
    """Cycles of a group of `vectors` frames."""

    initiation_interval: int
    latency: int


class DeadlockError(ScheduleError):
    """Units wait for each other for ever."""


def core_timing(dataflow: Dataflow) -> Timing:
    """The cycles of a core. DeadlockError where it comes to a standstill."""
    return run_core(dataflow)[0]


def run_core(dataflow: Dataflow) -> tuple[Timing, Mapping[Connection, Channel]]:
    """The cycles of a core, and the handshakes of its streams until it is steady. DeadlockError where it stands still.

    The state is steady when three frames in a row have left at the same distance; of large cores two.
    """
    i, o = Channel(), Channel()
    channels = channels_of(dataflow.connections, i=i, o=o)
    network = Network([*connect_flows([stage.flow for stage in dataflow.stages], channels), sink_process(o)])
    ends: list[int] = []
    for frame in count():
        for _ in range(dataflow.input_beats):
            i.give(0)
        network.run()
        if len(o.takes) < (frame + 1) * dataflow.output_beats:
            raise DeadlockError(
                f"the core stands still after {len(o.takes)} beats of its output: a queue where paths meet again is "
                "too short"
            )
        ends.append(o.takes[-1])
        alike = 2 if handshakes(channels) > LARGE * (frame + 1) else 3
        distances = [after - before for before, after in pairwise(ends)][-alike:]
        if frame >= MOST_FRAMES or (len(distances) == alike and len({*distances}) == 1):
            return Timing(ends[-1] - ends[-2], ends[0] - i.takes[0]), channels
    raise AssertionError("a count has no end")


def run_slowly(dataflow: Dataflow) -> tuple[Mapping[Connection, Channel], int]:
    """The handshakes of a core's streams in frames whose every beat comes long after all is at rest; and how many these
    are: two, or one of a large core."""
    i, o = Channel(), Channel()
    channels = channels_of(dataflow.connections, i=i, o=o)
    network = Network([*connect_flows([stage.flow for stage in dataflow.stages], channels), sink_process(o)])
    for frame in range(2):
        for beat in range(dataflow.input_beats):
            i.give((frame * dataflow.input_beats + beat) * LONG)
        network.run()
        if handshakes(channels) > LARGE:
            return channels, frame + 1
    return channels, 2


def handshakes(channels: Mapping[Connection, Channel]) -> int:
    """Those of all streams together."""
    return sum(len(channel.takes) for channel in channels.values())


def least_interval(stages: Iterable[Stage]) -> int:
    """The slowest unit's cycles from frame to frame: no core of these units is faster."""
    return max(stage.interval for stage in stages)

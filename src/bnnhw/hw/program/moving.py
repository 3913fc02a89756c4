"""How a program's pipeline moves: held while a result waits, or always, with a queue for its results.

One clock enable for all registers costs nothing, and is too slow where they are many. Then there is none: a queue
behind the pipeline has room for what is on its way, and a beat comes in where there is a credit for its result.

Tests: tests/hw/program/test_pipeline.py
"""

from collections.abc import Sequence

from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.stream.credited_pipeline import CreditedPipeline, queue_depth_for
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.held_pipeline import HeldPipeline
from bnnhw.hw.stream.result_queue import ResultQueue
from bnnhw.hw.targets import Fabric

__all__ = ["program_flow", "program_latency", "queue_depth"]


def queue_depth(schedule: Schedule, *, groups: int, fabric: Fabric) -> int:
    """Results of the queue behind a pipeline of so many groups: enough for a beat a cycle. 0: the pipeline is held."""
    if schedule.is_held(groups=groups):
        return 0
    return queue_depth_for(program_latency(schedule, groups=groups) + 1, least=fabric.distributed_ram_depth)


def program_latency(schedule: Schedule, *, groups: int) -> int:
    """Cycles from a beat to its result."""
    return schedule.latency + (0 if schedule.is_held(groups=groups) else ResultQueue.latency)


def program_flow(
    inputs: Sequence[Channel],
    o: Channel,
    *,
    schedule: Schedule,
    groups: int,
    fabric: Fabric,
    period: int = 1,
    ending: bool = False,
) -> Flow:
    """A ProgramPipeline's, or a JoinedPipeline's of several inputs."""
    depth, latency = queue_depth(schedule, groups=groups, fabric=fabric), program_latency(schedule, groups=groups)
    pipeline = CreditedPipeline(latency, depth, o) if depth else HeldPipeline(latency, o)
    return [_process(inputs, pipeline, period=period if ending else 1)]


def _process(inputs: Sequence[Channel], pipeline: HeldPipeline | CreditedPipeline, *, period: int) -> Process:
    """Beats leave no trace at the output but for each period's last."""
    while True:
        for left in reversed(range(period)):
            offered = []
            for i in inputs:
                offered.append((yield i))
            accepted = yield from (pipeline.moving if left else pipeline.enter)(max(offered))
            for i in inputs:
                i.take(accepted)

"""The units of a join, and what fits its streams to each other.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from collections.abc import Sequence

from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.join.join import Join
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.targets import Target

from .layer_units import steps_stages


def join_stages(join: Join, ports: Sequence[Port], target: Target) -> tuple[list[list[Stage]], list[Stage], Port]:
    """The units on each way of streams that have their steps behind them, those from where they meet, and the stream
    behind all."""
    if join.meeting is None:
        return [[]], *steps_stages(join.behind, join.name, ports[0], target)
    fitted = join.meeting.fitted(ports)
    stage, port = join.meeting.stage(join.name, fitted, target)
    behind, port = steps_stages(join.behind, join.name, port, target)
    return ways_to(fitted, ports), [stage, *behind], port


def ways_to(fitted: Sequence[Port], ports: Sequence[Port]) -> list[list[Stage]]:
    """What makes these streams of those, for each of `ports`."""
    pairs = zip(ports, fitted, strict=True)
    return [regroup(before, pixels=after.pixels, lanes=after.lanes) for before, after in pairs]

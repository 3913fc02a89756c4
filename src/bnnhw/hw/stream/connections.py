"""Units and the streams between them: which port of a unit feeds which port of another.

Tests: tests/hw/test_core.py
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from .flow import Channel, Flow

__all__ = ["OUTSIDE", "Connection", "End", "channels_of", "connect_flows", "in_a_row"]

OUTSIDE = -1
"""The number of what is no unit: the ports of the whole."""
End = tuple[int, str]
"""A port: its unit's number, and its name."""
Connection = tuple[End, End]
"""From an output to an input. The whole's own input `i` is an output to its units, its output `o` an input."""


def in_a_row(count: int) -> tuple[Connection, ...]:
    """The connections of so many units one behind the other, by their ports `i` and `o`."""
    ends: list[End] = [(OUTSIDE, "i")]
    for number in range(count):
        ends += [(number, "i"), (number, "o")]
    ends.append((OUTSIDE, "o"))
    return tuple(zip(ends[::2], ends[1::2], strict=True))


def connect_flows(flows: Sequence[Callable[..., Flow]], channels: Mapping[Connection, Channel]) -> Flow:
    """The flow of connected units, whose own flows take their channels by the names of their ports."""
    ports: list[dict[str, Channel]] = [{} for _ in flows]
    for ((source, output), (target, into)), channel in channels.items():
        if source != OUTSIDE:
            ports[source][output] = channel
        if target != OUTSIDE:
            ports[target][into] = channel
    return chain.from_iterable(flow(**own) for flow, own in zip(flows, ports, strict=True))


def channels_of(connections: Iterable[Connection], **outer: Channel) -> dict[Connection, Channel]:
    """A channel for each connection; those of the whole's own ports are given."""
    return {
        ((source, output), (target, into)): (
            outer[output] if source == OUTSIDE else outer[into] if target == OUTSIDE else Channel()
        )
        for (source, output), (target, into) in connections
    }

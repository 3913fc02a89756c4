"""A dataflow in sections, one behind the other, between streams that everything goes through.

A section alone, which gets each beat as soon as it takes it and whose own beats are taken at once, is as fast as in the
whole, or faster.

Tests: tests/compiler/dataflow/test_sections.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bnnhw.hw.stream.connections import OUTSIDE, Connection, End

from .dataflow import Dataflow


@dataclass(frozen=True)
class Section:
    """Units of a dataflow as a dataflow of their own, and the numbers of its ways into joins among those of the
    whole."""

    dataflow: Dataflow
    places: range


class Sections:
    """A dataflow's sections. In each paths meet again; the units before and behind belong to it, too, up to where other
    paths do.

    Parameters
    ----------
    dataflow : Dataflow
    beats : sequence of int
        A frame's, in each of its narrows.
    """

    def __init__(self, dataflow: Dataflow, beats: Sequence[int]):
        self.dataflow = dataflow
        self._narrows = [units for units, _ in narrows_of(dataflow)]
        self._beats = beats
        meeting = [
            number
            for number, (first, last) in enumerate(zip(self._narrows, self._narrows[1:], strict=False))
            if any(len(stage.inputs) > 1 for stage in dataflow.stages[first:last])
        ]
        self._begins = [0, *(number + 1 for number in meeting[:-1])]
        self._ends = [*meeting[1:], len(beats) - 1]

    def __len__(self) -> int:
        return len(self._begins)

    def section(self, first: int, last: int) -> Section:
        """From one section to another, both included."""
        begin, end = self._begins[first], self._ends[last]
        inside = range(self._narrows[begin], self._narrows[end])

        def renumbered(end: End, outer: str) -> End:
            number, port = end
            return (number - inside.start, port) if number in inside else (OUTSIDE, outer)

        connections = tuple(
            (renumbered(source, "i"), renumbered(target, "o"))
            for source, target in self.dataflow.connections
            if source[0] in inside or target[0] in inside
        )
        stages = self.dataflow.stages[inside.start : inside.stop]
        part = Dataflow(stages, connections, self._beats[begin], self._beats[end])
        before = sum(number < inside.start for _, (number, _) in self.dataflow.joins)
        return Section(part, range(before, before + len(part.joins)))


def narrows_of(dataflow: Dataflow) -> list[tuple[int, Connection]]:
    """The streams that everything goes through, input and output included, each with the number of units before it."""
    count = len(dataflow.stages)
    crossing: list[list[Connection]] = [[] for _ in range(count + 1)]
    for connection in dataflow.connections:
        (source, _), (target, _) = connection
        for units in range(source + 1, (count if target == OUTSIDE else target) + 1):
            crossing[units].append(connection)
    return [(units, streams[0]) for units, streams in enumerate(crossing) if len(streams) == 1]

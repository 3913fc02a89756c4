"""A core as data: its units, and the streams between them.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection, End, in_a_row


@dataclass(frozen=True)
class Dataflow:
    """Units in the order of the data, and the connections of their ports (`hw/stream/connections.py`)."""

    stages: tuple[Stage, ...]
    connections: tuple[Connection, ...]

    @classmethod
    def row(cls, stages: Iterable[Stage]) -> "Dataflow":
        """Units one behind the other."""
        stages = tuple(stages)
        return cls(stages, in_a_row(len(stages)))

    def inputs(self, number: int) -> list[Connection]:
        """What comes in at a unit."""
        return [connection for connection in self.connections if connection[1][0] == number]

    def insert(self, queues: Mapping[Connection, Stage]) -> "Dataflow":
        """The dataflow with a unit, with ports `i` and `o`, in each of these connections; it is numbered directly
        before the unit that it feeds."""
        stages: list[Stage] = []
        places: dict[int, int] = {OUTSIDE: OUTSIDE}
        between: dict[Connection, int] = {}
        for number, stage in enumerate(self.stages):
            for connection in self.inputs(number):
                if connection in queues:
                    between[connection] = len(stages)
                    stages.append(queues[connection])
            places[number] = len(stages)
            stages.append(stage)
        connections: list[Connection] = []
        for connection in self.connections:
            source, target = ((places[number], port) for number, port in connection)
            middle: list[End] = []
            if connection in between:
                middle = [(between[connection], "i"), (between[connection], "o")]
            ends = [source, *middle, target]
            connections += zip(ends[::2], ends[1::2], strict=True)
        return Dataflow(tuple(stages), tuple(connections))

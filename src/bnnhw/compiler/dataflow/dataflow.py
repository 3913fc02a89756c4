"""A core as data: its units, and the streams between them.

Tests: tests/compiler/dataflow/test_queues.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.connections import OUTSIDE, Connection, End


@dataclass(frozen=True)
class Dataflow:
    """Units in the order of the data, and the connections of their ports (`hw/stream/connections.py`).

    input_beats, output_beats : of a frame, or of a group of frames in lockstep
    """

    stages: tuple[Stage, ...]
    connections: tuple[Connection, ...]
    input_beats: int
    output_beats: int

    def inputs(self, number: int) -> list[Connection]:
        """What comes in at a unit."""
        return [connection for connection in self.connections if connection[1][0] == number]

    def ways(self, number: int) -> list[Connection]:
        """What comes in at a unit, then what goes out."""
        return self.inputs(number) + [connection for connection in self.connections if connection[0][0] == number]

    @property
    def joins(self) -> list[Connection]:
        """What comes in at units of several inputs, where paths meet again."""
        several = (self.inputs(number) for number, stage in enumerate(self.stages) if len(stage.inputs) > 1)
        return [connection for inputs in several for connection in inputs]

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
        return replace(self, stages=tuple(stages), connections=tuple(connections))

"""The table of scores.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass, field

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.hw.output.score_table import ScoreTable, score_table_process
from bnnhw.hw.stream.flow import Channel, Flow, flow_cycles
from bnnhw.hw.targets import Cells, Target

from . import area
from .port import Beat
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Table(Stage):
    """The table of scores."""

    ENGINE = "score table"

    table: NDArray[np.int64] = field(repr=False)
    lanes: int
    vectors: int
    target: Target

    def gives(self, port: str) -> Beat:
        return Beat(self.lanes * self.vectors, max(1, int(self.table.max()).bit_length()))

    @property
    def interval(self) -> int:
        beats = len(self.table) // self.lanes
        accepted, _ = flow_cycles(self.flow, [0] * (beats + 1))
        return accepted[beats]

    @property
    def passes_ready(self) -> bool:
        return False

    @property
    def resources(self) -> Cells:
        classes, entries = self.table.shape
        return area.table_resources(
            self.target.fabric,
            classes=classes,
            entries=entries,
            width=int(self.table.max()).bit_length(),
            lookups=self.lanes * self.vectors,
        )

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [score_table_process(i, o, lanes=self.lanes, vectors=self.vectors)]

    def build(self) -> wiring.Component:
        return ScoreTable(table=self.table, lanes=self.lanes, vectors=self.vectors, target=self.target)

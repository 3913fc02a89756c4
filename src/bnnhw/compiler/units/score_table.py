"""The table of scores.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass, field

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.hw.output.score_table import ScoreTable, score_table_flow
from bnnhw.hw.stream.flow import Flow, Sink, flow_cycles
from bnnhw.hw.targets import Cells, Target

from . import area
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Table(Stage):
    """The table of scores."""

    ENGINE = "score table"

    table: NDArray[np.int64] = field(repr=False)
    lanes: int
    vectors: int
    target: Target

    @property
    def interval(self) -> int:
        beats = len(self.table) // self.lanes
        accepted, _ = flow_cycles(self.flow, [0] * (beats + 1))
        return accepted[beats]

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

    def flow(self, sink: Sink) -> Flow:
        return score_table_flow(sink, lanes=self.lanes, vectors=self.vectors)

    def build(self) -> wiring.Component:
        return ScoreTable(table=self.table, lanes=self.lanes, vectors=self.vectors, target=self.target)

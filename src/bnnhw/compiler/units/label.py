"""The arg max of the scores.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.output.label_select import LabelSelect, label_select_flow
from bnnhw.hw.stream.flow import Flow, Sink
from bnnhw.hw.targets import Cells, Target

from . import area
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Label(Stage):
    """The arg max of the scores."""

    ENGINE = "label select"

    classes: int
    width: int
    lanes: int
    vectors: int
    target: Target

    @property
    def interval(self) -> int:
        return self.classes

    @property
    def resources(self) -> Cells:
        return area.label_resources(self.target.fabric, width=self.width, lanes=self.lanes, vectors=self.vectors)

    def flow(self, sink: Sink) -> Flow:
        return label_select_flow(sink, classes=self.classes, lanes=self.lanes)

    def build(self) -> wiring.Component:
        return LabelSelect(classes=self.classes, width=self.width, signed=False, lanes=self.lanes, vectors=self.vectors)

"""The arg max of the scores.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.output.label_select import LabelSelect, label_select_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from . import area
from .port import Beat
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

    def gives(self, port: str) -> Beat:
        return Beat(self.vectors, max(1, (self.classes - 1).bit_length()))

    @property
    def interval(self) -> int:
        return self.classes

    @property
    def resources(self) -> Cells:
        return area.label_resources(self.target.fabric, width=self.width, lanes=self.lanes, vectors=self.vectors)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [label_select_process(i, o, classes=self.classes, lanes=self.lanes)]

    def build(self) -> wiring.Component:
        return LabelSelect(classes=self.classes, width=self.width, signed=False, lanes=self.lanes, vectors=self.vectors)

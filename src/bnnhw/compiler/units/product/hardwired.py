"""Hardwired units: a layer's product by adders that are made for its weights.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass, field, replace

from amaranth.lib import wiring

from bnnhw.compiler.units.port import Beat
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.hardwired.plan import HardwiredPlan
from bnnhw.hw.hardwired.unit import HardwiredUnit
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .layer import MatrixLayer


@dataclass(frozen=True, kw_only=True)
class Hardwired(Stage):
    """A hardwired unit; `vectors` times a frame it takes its vectors."""

    ENGINE = "hardwired"

    layer: MatrixLayer = field(repr=False)
    plan: HardwiredPlan = field(repr=False)
    vectors: int
    target: Target

    @property
    def unshared(self) -> "Hardwired":
        """The same unit with each row summed by itself: what its rows save by sharing sums."""
        return replace(self, plan=replace(self.layer.unshared(self.plan.fabric), vectors=self.plan.vectors))

    def gives(self, port: str) -> Beat:
        return Beat(self.plan.vectors * self.plan.rows, self.plan.result_width)

    @property
    def interval(self) -> int:
        return self.vectors * self.plan.initiation_interval

    @property
    def passes_ready(self) -> bool:
        return False

    @property
    def resources(self) -> Cells:
        return hardwired_area(self.plan)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.plan.flow(i, o)

    def build(self) -> wiring.Component:
        thresholds = self.layer.thresholds
        return HardwiredUnit(
            plan=self.plan,
            thresholds=None if thresholds is None else thresholds.tolist(),
            target=self.target,
        )

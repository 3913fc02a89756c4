"""The units behind the matrix units as data: thresholds, poolings, scores, the label.

Tests: tests/compiler/units/test_area.py
"""

from abc import abstractmethod
from dataclasses import asdict, dataclass, field

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.compiler.lowering.steps import Inverting, Quantising, Rescaling
from bnnhw.hw.output.label_select import LabelSelect, label_select_flow
from bnnhw.hw.output.score_table import ScoreTable, score_table_flow
from bnnhw.hw.pool.area import pool_area
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.shape import PoolShape
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.stream.flow import Flow, Sink, flow_cycles, wire_flow
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.threshold.invert import Invert
from bnnhw.hw.threshold.multi_threshold import MultiThreshold, MultiThresholdShape
from bnnhw.hw.threshold.placed import PlacedShape
from bnnhw.hw.threshold.places import Places
from bnnhw.hw.threshold.rescale import Rescale, RescaleShape

from . import area
from .base import Stage


@dataclass(frozen=True, kw_only=True)
class Placed(Stage):
    """A unit with constants by `places`; `beats` a frame, one a cycle."""

    places: Places
    beats: int
    target: Target

    @property
    @abstractmethod
    def shape(self) -> PlacedShape:
        """What the unit is made of."""

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return self.shape.area

    def flow(self, sink: Sink) -> Flow:
        return self.shape.flow(sink)


@dataclass(frozen=True, kw_only=True)
class Thresholds(Placed):
    """Several thresholds a channel, or thresholds that know the border."""

    ENGINE = "thresholds"

    step: Quantising = field(repr=False)

    @property
    def shape(self) -> MultiThresholdShape:
        return MultiThresholdShape(
            places=self.places, bits=self.step.bits, greatest=self.step.greatest, target=self.target
        )

    def build(self) -> wiring.Component:
        return MultiThreshold(
            thresholds=self.step.thresholds, greatest=self.step.greatest, places=self.places, target=self.target
        )


@dataclass(frozen=True, kw_only=True)
class Offsets(Placed):
    """A factor, and an offset a channel."""

    ENGINE = "offsets"

    step: Rescaling = field(repr=False)

    @property
    def shape(self) -> RescaleShape:
        step = self.step
        return RescaleShape.of(
            step.offsets,
            places=self.places,
            factor=step.factor,
            greatest=step.greatest,
            greatest_result=step.greatest_result,
            target=self.target,
        )

    def build(self) -> wiring.Component:
        step = self.step
        return Rescale(
            offsets=step.offsets,
            factor=step.factor,
            greatest=step.greatest,
            greatest_result=step.greatest_result,
            places=self.places,
            target=self.target,
        )


@dataclass(frozen=True, kw_only=True)
class Pool(Stage):
    """The greatest or the sum of each window."""

    ENGINE = "pooling"

    shape: PoolShape

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return pool_area(self.shape)

    def flow(self, sink: Sink) -> Flow:
        return self.shape.flow(sink)

    def build(self) -> wiring.Component:
        options = asdict(self.shape)
        unit = {"max": MaxPool, "sum": SumPool}[options.pop("kind")]
        return unit(**options)


@dataclass(frozen=True, kw_only=True)
class Inversion(Stage):
    """Some channels inverted; `beats` a frame."""

    ENGINE = "inversion"

    step: Inverting = field(repr=False)
    lanes: int
    pixels: int
    beats: int

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        lut4 = self.pixels * self.lanes * self.step.bits
        return Cells(logic=lut4, ffs=self.lanes if self.lanes < len(self.step.channels) else 0)

    def flow(self, sink: Sink) -> Flow:
        return wire_flow(sink)

    def build(self) -> wiring.Component:
        return Invert(channels=self.step.channels.tolist(), lanes=self.lanes, pixels=self.pixels, bits=self.step.bits)


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

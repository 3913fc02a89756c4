"""The units of a core as data: each one's timing, cells and hardware, before any of it is built.

Here are what a unit is, and those up to the matrix units; `result_stages.py` has those behind them.

Tests: tests/compiler/units/test_area.py
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from math import gcd

from amaranth.lib import wiring

from bnnhw.compiler.lowering.pipeline import MatrixLayer
from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.hardwired.plan import HardwiredPlan
from bnnhw.hw.hardwired.unit import HardwiredUnit
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.stream.fifo import Fifo, fifo_flow
from bnnhw.hw.stream.flow import Flow, Sink
from bnnhw.hw.stream.width import WidthConverter, width_converter_flow
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.window.shape import WindowShape
from bnnhw.hw.window.sliding_window import SlidingWindow

from . import area


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """One unit between the core's input and its output; FINN's dataflow node."""

    ENGINE = ""
    """What it is called."""

    name: str = ""

    @property
    @abstractmethod
    def interval(self) -> int:
        """Cycles from frame to frame, or from group to group of frames in lockstep, if nothing makes it wait."""

    @property
    @abstractmethod
    def resources(self) -> Cells:
        """Its cells."""

    @abstractmethod
    def flow(self, sink: Sink) -> Flow:
        """When it passes beats on; see hw/stream/flow.py."""

    @abstractmethod
    def build(self) -> wiring.Component:
        """The hardware."""


def core_resources(stages: Iterable[Stage]) -> Cells:
    """All units of a core."""
    return sum((stage.resources for stage in stages), Cells(luts=0, carries=0))


@dataclass(frozen=True, kw_only=True)
class Convert(Stage):
    """A width converter, which `elements` elements of `width` bits of a frame go through."""

    ENGINE = "width converter"

    elements: int
    width: int
    in_lanes: int
    out_lanes: int
    vectors: int = 1

    @property
    def interval(self) -> int:
        return self.elements // gcd(self.in_lanes, self.out_lanes)

    @property
    def resources(self) -> Cells:
        bits = self.width * self.vectors
        return area.converter_resources(in_lanes=self.in_lanes, out_lanes=self.out_lanes, vectors=bits)

    def flow(self, sink: Sink) -> Flow:
        return width_converter_flow(sink, in_lanes=self.in_lanes, out_lanes=self.out_lanes)

    def build(self) -> wiring.Component:
        return WidthConverter(width=self.width, in_lanes=self.in_lanes, out_lanes=self.out_lanes, vectors=self.vectors)


@dataclass(frozen=True, kw_only=True)
class Window(Stage):
    """The windows of a convolution."""

    ENGINE = "sliding window"

    shape: WindowShape
    padding_code: int

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return area.window_resources(self.shape, padding_code=self.padding_code)

    def flow(self, sink: Sink) -> Flow:
        return self.shape.flow(sink)

    def build(self) -> wiring.Component:
        return SlidingWindow(**asdict(self.shape), padding_code=self.padding_code)


@dataclass(frozen=True, kw_only=True)
class Queue(Stage):
    """A queue (FIFO) of `depth` beats of `width` bits."""

    ENGINE = "queue"

    width: int
    depth: int
    target: Target

    @property
    def interval(self) -> int:
        return 0  # it passes on a beat in every cycle

    @property
    def resources(self) -> Cells:
        return area.queue_resources(self.target.fabric, width=self.width, depth=self.depth)

    def flow(self, sink: Sink) -> Flow:
        return fifo_flow(sink, depth=self.depth)

    def build(self) -> wiring.Component:
        return Fifo(width=self.width, depth=self.depth, target=self.target)


@dataclass(frozen=True, kw_only=True)
class Matrix(Stage):
    """A matrix unit; `vectors` times a frame it takes its vectors."""

    ENGINE = "matrix unit"

    layer: MatrixLayer = field(repr=False)
    shape: MatrixShape
    vectors: int

    @property
    def interval(self) -> int:
        return self.vectors * self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return area.matrix_resources(self.shape)

    def flow(self, sink: Sink) -> Flow:
        return self.shape.flow(sink)

    def build(self) -> wiring.Component:
        thresholds = self.layer.thresholds
        return MatrixUnit(
            weights=self.layer.weights,
            pe=self.shape.pe,
            simd=self.shape.simd,
            vectors=self.shape.vectors,
            planes=self.shape.planes,
            row_groups=self.shape.row_groups,
            thresholds=None if thresholds is None else thresholds.tolist(),
            store=self.shape.store,
            target=self.shape.target,
        )


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
        return replace(self, plan=replace(self.layer.unshared, vectors=self.plan.vectors))

    @property
    def interval(self) -> int:
        return self.vectors * self.plan.initiation_interval

    @property
    def resources(self) -> Cells:
        return hardwired_area(self.plan, self.target.fabric)

    def flow(self, sink: Sink) -> Flow:
        return self.plan.flow(sink)

    def build(self) -> wiring.Component:
        thresholds = self.layer.thresholds
        return HardwiredUnit(
            plan=self.plan,
            thresholds=None if thresholds is None else thresholds.tolist(),
            target=self.target,
        )

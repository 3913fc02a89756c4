"""Queues (FIFOs) between units.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.stream.fifo import Fifo, fifo_flow
from bnnhw.hw.stream.flow import Flow, Sink
from bnnhw.hw.targets import Cells, Target

from . import area
from .stage import Stage


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

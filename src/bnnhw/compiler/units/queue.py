"""Queues (FIFOs) between units.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.stream.fifo import Fifo, fifo_flow
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from . import area
from .port import Beat
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Queue(Stage):
    """A queue (FIFO) of beats of `width` bits: of `limit`, or as many as a memory of `depth` words holds."""

    ENGINE = "queue"

    width: int
    depth: int
    limit: int | None = None
    target: Target

    def gives(self, port: str) -> Beat:
        return Beat(1, self.width)

    @property
    def interval(self) -> int:
        return 0  # it passes on a beat in every cycle

    @property
    def passes_ready(self) -> bool:
        return False

    @property
    def resources(self) -> Cells:
        return area.queue_resources(self.target.fabric, width=self.width, depth=self.depth, limit=self.limit)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return fifo_flow(i, o, depth=self.depth, limit=self.limit)

    def build(self) -> wiring.Component:
        return Fifo(width=self.width, depth=self.depth, limit=self.limit, target=self.target)

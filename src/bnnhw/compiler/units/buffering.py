"""Registers between units, so that `ready` comes from one.

Tests: tests/operators/test_ready_paths.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.stream.buffer import StreamBuffer, buffer_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells

from .port import Beat
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class Buffering(Stage):
    """A buffer of two beats of `width` bits."""

    ENGINE = "buffer"

    width: int

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
        return Cells(logic=self.width + 3, ffs=2 * self.width + 2)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [buffer_process(i, o)]

    def build(self) -> wiring.Component:
        return StreamBuffer(width=self.width)

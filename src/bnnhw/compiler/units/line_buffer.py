"""Windows as patches, for what reads them whole.

Tests: tests/compiler/units/test_line_buffer.py
"""

from dataclasses import dataclass

from amaranth.lib import wiring

from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells
from bnnhw.hw.window.line_area import line_buffer_area
from bnnhw.hw.window.line_buffer import LineBuffer
from bnnhw.hw.window.line_shape import LineBufferShape
from bnnhw.hw.window.line_timing import line_buffer_flow

from .port import Beat
from .stage import Stage


@dataclass(frozen=True, kw_only=True)
class LineBuffering(Stage):
    """The patch of the windows of an output beat."""

    ENGINE = "line buffer"

    shape: LineBufferShape

    def gives(self, port: str) -> Beat:
        shape = self.shape
        return Beat(shape.kernel[0] * shape.columns * shape.lanes, shape.element_bits)

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return line_buffer_area(self.shape)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return line_buffer_flow(self.shape, i, o)

    def build(self) -> wiring.Component:
        return LineBuffer(shape=self.shape)

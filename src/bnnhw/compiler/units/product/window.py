"""The windows of a convolution.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import asdict, dataclass

from amaranth.lib import wiring

from bnnhw.compiler.units import area
from bnnhw.compiler.units.port import Beat
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells
from bnnhw.hw.window.shape import WindowShape
from bnnhw.hw.window.sliding_window import SlidingWindow


@dataclass(frozen=True, kw_only=True)
class Window(Stage):
    """The windows of a convolution."""

    ENGINE = "sliding window"

    shape: WindowShape
    padding_code: int

    def input_width(self, port: str) -> int:
        return self.shape.input_width

    def gives(self, port: str) -> Beat:
        return Beat(self.shape.pixels * self.shape.simd, self.shape.element_bits)

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def passes_ready(self) -> bool:
        return False

    @property
    def resources(self) -> Cells:
        return area.window_resources(self.shape, padding_code=self.padding_code)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)

    def build(self) -> wiring.Component:
        return SlidingWindow(**asdict(self.shape), padding_code=self.padding_code)

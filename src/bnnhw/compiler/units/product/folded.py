"""What the stages of folded products have in common: all that their shape says.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass

from bnnhw.compiler.units.port import Beat
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.product.folded_shape import FoldedShape
from bnnhw.hw.stream.flow import Channel, Flow


@dataclass(frozen=True, kw_only=True)
class FoldedProduct(Stage):
    """A unit of PE x SIMD weights a cycle; `vectors` times a frame it takes its vectors."""

    shape: FoldedShape
    vectors: int

    def gives(self, port: str) -> Beat:
        shape = self.shape
        return Beat(shape.vectors * shape.pe * shape.row_results, shape.result_width)

    @property
    def interval(self) -> int:
        return self.vectors * self.shape.initiation_interval

    @property
    def passes_ready(self) -> bool:
        return False

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)

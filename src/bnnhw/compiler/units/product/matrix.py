"""Matrix units: a layer's product, PE x SIMD weights a cycle.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass, field

from amaranth.lib import wiring

from bnnhw.compiler.units import area
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.targets import Cells

from .folded import FoldedProduct
from .layer import MatrixLayer


@dataclass(frozen=True, kw_only=True)
class Matrix(FoldedProduct):
    """A matrix unit; `vectors` times a frame it takes its vectors."""

    ENGINE = "matrix unit"

    layer: MatrixLayer = field(repr=False)
    shape: MatrixShape

    @property
    def resources(self) -> Cells:
        return area.matrix_resources(self.shape)

    def build(self) -> wiring.Component:
        thresholds = self.layer.thresholds
        return MatrixUnit(
            weights=self.layer.weights,
            pe=self.shape.pe,
            simd=self.shape.simd,
            vectors=self.shape.vectors,
            planes=self.shape.planes,
            row_groups=self.shape.row_groups,
            levels=self.shape.levels,
            thresholds=None if thresholds is None else thresholds.tolist(),
            store=self.shape.store,
            target=self.shape.target,
        )

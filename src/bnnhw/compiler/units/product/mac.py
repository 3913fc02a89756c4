"""MAC units: a layer's product of integer weights, by multipliers.

Tests: tests/test_mac_in_hardware.py
"""

from dataclasses import dataclass, field

from amaranth.lib import wiring

from bnnhw.hw.mac.area import mac_area
from bnnhw.hw.mac.shape import MacShape
from bnnhw.hw.mac.unit import MacUnit
from bnnhw.hw.targets import Cells

from .folded import FoldedProduct
from .integers import Integers


@dataclass(frozen=True, kw_only=True)
class Mac(FoldedProduct):
    """A MAC unit; `vectors` times a frame it takes its vectors."""

    ENGINE = "MAC unit"

    integers: Integers = field(repr=False)
    shape: MacShape

    @property
    def resources(self) -> Cells:
        return mac_area(self.shape)

    def build(self) -> wiring.Component:
        return MacUnit(
            weights=self.integers.weights,
            biases=self.integers.biases.tolist(),
            pe=self.shape.pe,
            simd=self.shape.simd,
            vectors=self.shape.vectors,
            planes=self.shape.planes,
            row_groups=self.shape.row_groups,
            sum_bits=self.shape.sum_bits,
            store=self.shape.store,
            target=self.shape.target,
        )

"""What cells weigh beside LUTs, and how the search finds prices with which a design fits.

Of LUTs and block RAMs the search takes the least. Of flip-flops and multipliers there mostly are enough, so they cost
nothing at first; where a design has too many, the next one is searched with a higher price, and those that save
the fewest LUTs are given up first.

Tests: tests/compiler/search/test_prices.py
"""

from dataclasses import dataclass, replace
from math import inf, isfinite

from bnnhw.hw.targets import Cells, Device

FF_PRICES = (0.0, 1.0, 4.0)
MULTIPLIER_PRICES = (0.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0, inf)
"""With the last one there are none."""


@dataclass(frozen=True)
class Prices:
    """LUTs that are worth a flip-flop, and a multiplier. `lone`: the share of flip-flops that take a LUT's place."""

    ff: float = FF_PRICES[0]
    multiplier: float = MULTIPLIER_PRICES[0]
    lone: float = 0.0

    def weight(self, cells: Cells) -> float:
        """Of cells, in LUTs; block RAMs are not among them."""
        multipliers = self.multiplier * cells.multipliers if cells.multipliers else 0
        return cells.logic + (self.lone + self.ff) * cells.ffs + multipliers

    def whole(self, device: Device) -> float:
        """The weight of all cells of a device that a design may have."""
        multipliers = self.multiplier * device.multipliers if isfinite(self.multiplier) else 0
        return device.usable_luts + self.ff * device.ffs + multipliers

    def raised(self, cells: Cells, device: Device, fill: float) -> "Prices | None":
        """Higher ones where a design is above a share `fill` of the device: of multipliers, if it has too many, else of
        flip-flops. None above the highest.

        Among cells that multipliers' price makes dearer, LUTs are counted less: where these are too many, the next
        design has no multipliers.
        """
        if cells.multipliers > fill * device.multipliers:
            higher = [price for price in MULTIPLIER_PRICES if price > self.multiplier]
            return replace(self, multiplier=higher[0]) if higher else None
        if device.lut_share(cells) > fill and (without := self.without_multipliers()):
            return without
        higher = [price for price in FF_PRICES if price > self.ff]
        return replace(self, ff=higher[0]) if higher else None

    def without_multipliers(self) -> "Prices | None":
        """Those with which there are none, where these have a price for them."""
        return replace(self, multiplier=inf) if 0 < self.multiplier < inf else None

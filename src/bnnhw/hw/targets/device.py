"""What a chip holds.

Tests: tests/compiler/search/test_scheduling.py
"""

from dataclasses import dataclass, field

from .cells import Cells
from .target import Target

__all__ = ["LUT_BITS", "Device"]

LUT_BITS = 16
"""Bits of a LUT's table, of 4 inputs."""


@dataclass(frozen=True)
class Device:
    """A chip: `luts` LUTs, each with a flip-flop; `ebr` block RAMs; `multipliers` of 18 x 18 bits.

    `idcode` is what it calls itself over JTAG.
    """

    name: str
    luts: int
    ebr: int
    multipliers: int
    target: Target = field(repr=False)
    idcode: int | None = None

    @property
    def ffs(self) -> int:
        """Flip-flops: one beside each LUT."""
        return self.luts

    @property
    def ebr_bits(self) -> int:
        """Bits of all its block RAMs."""
        return self.ebr * self.target.fabric.block_ram_bits

    @property
    def memory_bits(self) -> int:
        """Bits of all its block RAMs and LUTs: more weights cannot be stored."""
        return self.ebr_bits + self.luts * LUT_BITS

    @property
    def usable_luts(self) -> float:
        """LUTs that a design may take."""
        return self.target.fabric.usable * self.luts

    def lut_share(self, cells: Cells) -> float:
        """The share of the places of its usable LUTs that `cells` take."""
        return (cells.logic + self.target.fabric.lone_ffs * cells.ffs) / self.usable_luts

    def share(self, cells: Cells) -> float:
        """The share of its LUTs, flip-flops, block RAMs or multipliers that `cells` take, whichever is greatest."""
        shares = self.lut_share(cells), cells.ffs / self.ffs, cells.ebr / self.ebr
        return max(*shares, cells.multipliers / self.multipliers)

    def size(self, cells: Cells) -> float:
        """What "smallest" means: the sum of the shares of LUTs and block RAMs."""
        return self.lut_share(cells) + cells.ebr / self.ebr

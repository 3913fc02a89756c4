"""What a unit occupies on an ECP5: cells, counted from its structure before synthesis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .ecp5 import CHAIN_POSITIONS

__all__ = ["BLOCK_RAM_LUT4", "FEED_COMB", "UnitArea", "carry_cells", "distributed_ram_lut4", "multiplexer_lut4"]

FEED_COMB = 2
"""TRELLIS_COMB of a carry cell that nextpnr adds where a chain takes its first carry from the fabric or hands its last
one there: an adder that yosys makes takes a constant."""
BLOCK_RAM_LUT4 = 400
"""LUT4 that are worth one block RAM: a device has so many of them for each."""


@dataclass(frozen=True)
class UnitArea:
    """Cells of a unit.

    Attributes
    ----------
    lut4 : int
        LUT4 cells, and 6 for each distributed RAM of 16 x 4; without the carry cells.
    ccu2c : int
        Carry cells, of two LUT4 each.
    feeds : int
        Carry cells that nextpnr adds at the ends of chains.
    ff, ebr : int
        Flip-flops, block RAMs.
    """

    lut4: int
    ccu2c: int
    feeds: int
    ff: int
    ebr: int

    @property
    def trellis_comb(self) -> int:
        """LUT4 as nextpnr counts them."""
        return self.lut4 + 2 * self.ccu2c + FEED_COMB * self.feeds


def multiplexer_lut4(ways: int) -> int:
    """LUT4 of a multiplexer for one bit: 1 for 2 ways, 2 for 4, 5 for 8."""
    return (2 * (ways - 1) + 2) // 3


def distributed_ram_lut4(depth: int, width: int) -> int:
    """LUT4 of a RAM in cells of 16 words of 4 bits, 6 LUT4 each, and their multiplexers."""
    blocks = -(-depth // 16)
    return -(-width // 4) * 6 * blocks + width * multiplexer_lut4(blocks)


def carry_cells(adders: Sequence[tuple[int, bool]]) -> tuple[int, int]:
    """(CCU2C, feeds) of adders of one level that `CarryChains` lays into chains.

    adders: the positions of each, its spacer included, and whether it hands out a carry.
    """
    cells = feeds = 0
    for length, carries_out in _chains(adders):
        cells += (length + 1) // 2
        feeds += carries_out and length % 2 == 0  # else the carry leaves by the last cell's spare half
    return cells, feeds


def _chains(adders: Sequence[tuple[int, bool]]) -> Iterator[tuple[int, bool]]:
    """The positions of each chain, and whether its last adder hands out a carry."""
    length, carries_out = 0, False
    for positions, carry in adders:
        if length >= CHAIN_POSITIONS:
            yield length, carries_out
            length = 0
        length, carries_out = length + positions, carry
    if length:
        yield length, carries_out

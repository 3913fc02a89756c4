"""Cells: what a design occupies, in the same words from the estimate to the routed design."""

from dataclasses import dataclass, field

__all__ = ["CellNames", "Cells"]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of a unit or of a whole design. They add up; what one of two does not know, their sum does not.

    The spellings are those of report.json.

    Attributes
    ----------
    logic : int
        Everything that takes the place of a LUT, as the placer counts it: LUTs, carry cells, and what placing adds at
        the ends of carry chains. Before routing the last is an estimate, or left out of a netlist.
    luts, carries : int or None
        Of these the LUTs of functions and of distributed RAM, and the carry cells. None: not told apart.
    ffs, ebr, multipliers : int
        Flip-flops, block RAMs, multipliers.
    """

    logic: int = field(default=0, metadata={"plain": "comb"})
    luts: int | None = field(default=None, metadata={"plain": "lut4"})
    carries: int | None = field(default=None, metadata={"plain": "ccu2c"})
    ffs: int = field(default=0, metadata={"plain": "ff"})
    ebr: int = 0
    multipliers: int = field(default=0, metadata={"plain": None})

    def __add__(self, other: "Cells") -> "Cells":
        return Cells(
            logic=self.logic + other.logic,
            luts=None if self.luts is None or other.luts is None else self.luts + other.luts,
            carries=None if self.carries is None or other.carries is None else self.carries + other.carries,
            ffs=self.ffs + other.ffs,
            ebr=self.ebr + other.ebr,
            multipliers=self.multipliers + other.multipliers,
        )


@dataclass(frozen=True, kw_only=True)
class CellNames:
    """What a family's tools call the fields of `Cells`.

    `unrouted` is what `logic` consists of before routing.
    """

    logic: str = "logic cells"
    luts: str = "LUTs"
    carries: str = "carry cells"
    unrouted: str = "LUTs and carry cells"

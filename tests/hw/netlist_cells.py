"""What of an estimate a netlist shows."""

from bnnhw.hw.targets import Cells
from bnnhw.hw.targets.ecp5 import ECP5


def netlist_logic(cells: Cells) -> int:
    """The cells' logic without what placing adds at the ends of carry chains."""
    assert cells.luts is not None
    assert cells.carries is not None
    return cells.luts + ECP5.fabric.carry_luts * cells.carries

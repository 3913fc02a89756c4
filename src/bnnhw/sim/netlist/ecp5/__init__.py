"""The ECP5's cells for the simulators: Verilog models, and in Python the gates or the simpler cells of each."""

from .block_ram import expand_block_ram
from .logic import emit_carry_cell, emit_lut4
from .multiplier import expand_multiplier
from .slices import expand_comb

__all__ = ["GATES", "PARTS"]

GATES = {"LUT4": emit_lut4, "CCU2C": emit_carry_cell}
"""Cells that are gates."""
PARTS = {"DP16KD": expand_block_ram, "MULT18X18D": expand_multiplier, "TRELLIS_COMB": expand_comb}
"""Cells that are made of simpler ones."""

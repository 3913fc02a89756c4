"""The iCE40's cells for the simulators: Verilog models, and in Python the gates or the simpler cells of each."""

from .block_ram import expand_block_ram, expand_placed_block_ram
from .logic import emit_carry, emit_lut4, expand_logic_cell

__all__ = ["GATES", "PARTS"]

GATES = {"SB_LUT4": emit_lut4, "SB_CARRY": emit_carry}
"""Cells that are gates."""
PARTS = {"SB_RAM40_4K": expand_block_ram, "ICESTORM_RAM": expand_placed_block_ram, "ICESTORM_LC": expand_logic_cell}
"""Cells that are made of simpler ones."""

"""Counting cells, and the devices that nextpnr knows."""

import pytest

from bnnhw.hw.targets import Cells
from bnnhw.hw.targets.ecp5.toolchain import chip_options, netlist_cells


def test_counts_the_cells():
    counts = {
        "LUT4": 100,
        "CCU2C": 10,
        "TRELLIS_FF": 50,
        "TRELLIS_DPR16X4": 3,
        "DP16KD": 4,
        "PDPW16KD": 2,
        "MULT18X18D": 1,
        "EHXPLLL": 1,
    }
    assert netlist_cells(counts) == Cells(logic=138, luts=118, carries=10, ffs=50, ebr=6, multipliers=1)
    assert netlist_cells({}) == Cells(luts=0, carries=0)


def test_names_an_unknown_device():
    with pytest.raises(ValueError, match="device='LCMXO2' must be an ECP5 such as LFE5U-85F"):
        chip_options("LCMXO2", "CABGA381", 6)

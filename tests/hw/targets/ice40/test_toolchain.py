"""Counting cells, and the devices that nextpnr knows."""

import pytest

from bnnhw.hw.targets import Cells
from bnnhw.hw.targets.ice40.toolchain import chip_options, netlist_cells, routed_cells

LOG = """\
Info: Packing LUT-FFs..
Info:     1586 LCs used as LUT4 only
Info:     1330 LCs used as LUT4 and DFF
Info: Packing non-LUT FFs..
Info:     1488 LCs used as DFF only
Info: Packing carries..
Info:       63 LCs used as CARRY only
"""


def test_counts_the_cells():
    counts = {
        "SB_LUT4": 100,
        "SB_CARRY": 10,
        "SB_DFF": 70,
        "SB_DFFESR": 50,
        "SB_RAM40_4K": 4,
        "SB_RAM40_4KNRNW": 1,
        "SB_MAC16": 2,
        "SB_GB": 1,
    }
    assert netlist_cells(counts) == Cells(logic=120, luts=100, carries=10, ffs=120, ebr=5, multipliers=2)
    assert netlist_cells({}) == Cells(luts=0, carries=0)


def test_counts_what_is_routed():
    used = {"ICESTORM_LC": 4514, "ICESTORM_RAM": 18, "ICESTORM_DSP": 3}
    assert routed_cells(used, LOG) == Cells(logic=4514, luts=2916, ffs=2818, ebr=18, multipliers=3)


def test_names_an_unknown_device():
    assert chip_options("iCE40UP5K", "sg48", 0) == ("--up5k", "--package", "sg48")
    with pytest.raises(ValueError, match=r"^device='iCE40HX8K' must be one of iCE40UP5K$"):
        chip_options("iCE40HX8K", "ct256", 0)

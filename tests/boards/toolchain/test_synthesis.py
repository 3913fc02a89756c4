"""Counting cells, and yosys' own errors."""

from pathlib import Path

import pytest

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.synthesis import SynthesisReport, netlist_resources, synthesise


def test_counts_the_cells():
    cells = {
        "LUT4": 100,
        "CCU2C": 10,
        "TRELLIS_FF": 50,
        "TRELLIS_DPR16X4": 3,
        "DP16KD": 4,
        "PDPW16KD": 2,
        "MULT18X18D": 1,
        "EHXPLLL": 1,
    }
    report = netlist_resources(cells, seconds=2.5)
    assert report == SynthesisReport(luts=118, ccu2c=10, ff=50, ebr=6, multipliers=1, seconds=2.5)
    assert report.lut4 == 138


@pytest.mark.toolchain
def test_shows_yosys_own_error(tmp_path: Path):
    (tmp_path / "top.il").write_text("module \\top\n  nonsense\nend\n")
    with pytest.raises(
        ToolError, match=r"^yosys failed with exit code 1: ERROR: Parser error in line 2: .*; see .*/logs/yosys.log$"
    ):
        synthesise(tmp_path)


@pytest.mark.toolchain
def test_says_when_the_time_is_over(tmp_path: Path):
    (tmp_path / "top.il").write_text("module \\top\nend\n")
    with pytest.raises(ToolError, match=r"^yosys ran for longer than its limit of 0.01 s"):
        synthesise(tmp_path, timeout_s=0.01)

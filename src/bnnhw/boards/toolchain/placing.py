"""A netlist as a family's nextpnr packs and places it, for simulation.

Tests: tests/cli/test_verify.py
"""

import json
from pathlib import Path

from bnnhw.hw.targets import Device

from .prepared_netlist import prepared_netlist
from .process import run_tool
from .tools import find_tool

__all__ = ["place"]


def place(
    folder: Path,
    *,
    device: Device,
    package: str,
    speed: int,
    seed: int = 1,
    name: str = "top",
    timeout_s: float | None = None,
) -> None:
    """Packs and places `folder`/`name`.json, whose ports get no pins, and writes what comes of it into
    `name`.placed.json.

    Carry chains, wide functions, distributed and block RAM are then the cells of the device, with the pins that
    nextpnr ties or permutes. Routing changes none of them, and is left out.

    Raises
    ------
    ToolError
        When nextpnr is missing, finds no room, fails, or exceeds `timeout_s`.
    """
    tools = device.target.tools
    tool = find_tool(tools.place_and_route)
    placed = folder / f"{name}.placed.json"
    with prepared_netlist(folder, name, tools, change=tools.hide_ports) as netlist:
        run_tool(
            [
                *tool.command,
                *tools.chip_options(device.name, package, speed),
                *("--seed", str(seed), "--json", netlist, *tools.free_pins_options, *tools.core_options),
                *("--no-route", "--write", placed.name),
            ],
            name=tool.name,
            cwd=folder,
            log=folder / "logs" / "placing.log",
            timeout_s=timeout_s,
        )
    if tools.show_ports is not None:
        written = json.loads(placed.read_text())
        tools.show_ports(written, json.loads((folder / f"{name}.json").read_text()))
        placed.write_text(json.dumps(written))

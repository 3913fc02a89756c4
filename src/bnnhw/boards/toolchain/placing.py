"""A netlist as nextpnr-ecp5 packs and places it, for simulation."""

from pathlib import Path

from .carry_ends import opened_netlist
from .process import run_tool
from .routing import device_option
from .tools import find_nextpnr

__all__ = ["place"]


def place(
    folder: Path,
    *,
    device: str,
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
    with opened_netlist(folder, name) as netlist:
        run_tool(
            [
                *find_nextpnr().command,
                device_option(device),
                *("--package", package, "--speed", str(speed), "--seed", str(seed)),
                *("--json", netlist, "--lpf-allow-unconstrained", "--out-of-context"),
                *("--no-route", "--write", f"{name}.placed.json"),
            ],
            name="nextpnr-ecp5",
            cwd=folder,
            log=folder / "logs" / "placing.log",
            timeout_s=timeout_s,
        )

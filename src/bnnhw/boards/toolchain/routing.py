"""A netlist to a routed configuration, with a family's nextpnr."""

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bnnhw.hw.targets import Cells, Device

from .prepared_netlist import prepared_netlist
from .process import run_tool
from .tools import find_tool

__all__ = ["ROUTER2_FROM_LUT4", "RoutedReport", "design_fmax_hz", "place_and_route"]

ROUTER2_FROM_LUT4 = 60_000
"""Designs of this many LUT4 and more are routed with router2. Below it router1 gives the higher Fmax in less time: 145
against 107 MHz for a design of 12,000, 123 MHz in 3 minutes for one of 29,000."""

STATIC_PLACER_FROM_LUT4 = 10_000
"""Designs of this many LUT4 and more are placed with nextpnr's electrostatic placer, which leaves a convolutional
network of 50,000 with 28 % less wire than the other one, and lets one of 12,000 with 164 block RAMs be routed in 2
minutes, where after the other one most nets were open after 14. A network of 4,000 is some 7 % faster with
it, too, but takes half as long again."""

_PHASES = (
    (r"Info: Packing ", "packing"),
    (r"Info:\s+at iteration #(\d+): temp.* wirelen = (\d+)", "refining the placement, step {}, wire length {}"),
    (r"Info:\s+at initial placer iter (\d+), wirelen = (\d+)", "placing, first step {}, wire length {}"),
    (r"Info:\s+at iteration #(\d+), .* legal = (\d+)", "placing, step {}, wire length {}"),
    (r"Info: iter=(\d+) steplen", "placing, step {}"),
    (r"Info: Routing globals", "routing the clocks"),
    (r"Info:\s+\d+ \|.*\|\s+(\d+)\|", "routing, {} arcs left"),
    (r"Info:\s+iter=(\d+) .*overused=(\d+)", "routing, step {}, {} wires overused"),
)


@dataclass(frozen=True)
class RoutedReport:
    """What a routed design occupies and how fast it is.

    `fmax_hz` is that of the design's clock; where another one misses its own frequency, it is less than asked by the
    same share at least. `seconds` is the time of the run whose `seed` this is.
    """

    cells: Cells
    fmax_hz: float
    seed: int
    seconds: float


def place_and_route(
    folder: Path,
    *,
    device: Device,
    package: str,
    speed: int,
    seed: int,
    luts: int,
    clock_hz: float | None = None,
    wanted_hz: float | None = None,
    name: str = "top",
    output: str = "top",
    timeout_s: float | None = None,
    on_phase: Callable[[str], None] | None = None,
) -> RoutedReport:
    """Places and routes `folder`/`name`.json into `output`.config and `output`.report.json.

    The pins come from the file of pins of `name` where there is one, else they are nextpnr's choice. `luts` is the size
    of the netlist and picks the router, `clock_hz` the frequency to aim at where no constraint of that file says so;
    `wanted_hz` is the design's clock where there are others. A missed frequency is no error: the caller reads
    `fmax_hz`.

    Raises
    ------
    ToolError
        When nextpnr is missing, fails (no room, no route) or exceeds `timeout_s`.
    """
    tools = device.target.tools
    tool = find_tool(tools.place_and_route)
    pins_file = f"{name}.{tools.pins_suffix}"
    pins = [tools.pins_option, pins_file] if (folder / pins_file).exists() else tools.free_pins_options
    log = folder / "logs" / ("nextpnr.log" if output == name else f"nextpnr.{output.removeprefix(f'{name}.')}.log")

    def on_line(line: str) -> None:
        if on_phase is not None and (phase := _phase(line)):
            on_phase(phase)

    with prepared_netlist(folder, name, tools) as netlist:
        seconds = run_tool(
            [
                *tool.command,
                *tools.chip_options(device.name, package, speed),
                *("--json", netlist, *pins, "--seed", str(seed)),
                *("--placer", "static" if luts >= STATIC_PLACER_FROM_LUT4 else "heap"),
                *("--router", "router2" if luts >= ROUTER2_FROM_LUT4 else "router1"),
                *(() if clock_hz is None else ("--freq", f"{clock_hz / 1e6:.6f}")),
                *(tools.config_option, f"{output}.config", "--report", f"{output}.report.json"),
                *("--timing-allow-fail", "--no-print-critical-path-source"),
            ],
            name=tool.name,
            cwd=folder,
            log=log,
            timeout_s=timeout_s,
            on_line=on_line,
        )
    report = json.loads((folder / f"{output}.report.json").read_text())
    used = {cell: count["used"] for cell, count in report["utilization"].items()}
    return RoutedReport(
        cells=tools.routed_cells(used, log.read_text()),
        fmax_hz=design_fmax_hz(report["fmax"].values(), wanted_hz),
        seed=seed,
        seconds=seconds,
    )


def design_fmax_hz(clocks: Iterable[dict[str, float]], wanted_hz: float | None) -> float:
    """What RoutedReport has of nextpnr's clocks, each of them {"achieved", "constraint"} in MHz."""
    rates = [(clock["achieved"] * 1e6, clock["constraint"] * 1e6) for clock in clocks]
    if wanted_hz is None:
        return min(achieved for achieved, _ in rates)
    own = {asked for _, asked in rates if math.isclose(asked, wanted_hz, rel_tol=1e-3)}
    fastest = [achieved for achieved, asked in rates if asked in own]
    fastest += [wanted_hz * achieved / asked for achieved, asked in rates if asked not in own and achieved < asked]
    return min(fastest or [achieved for achieved, _ in rates])


def _phase(line: str) -> str | None:
    """What nextpnr is doing, where `line` of its log tells."""
    for pattern, phase in _PHASES:
        if match := re.match(pattern, line):
            return phase.format(*match.groups())
    return None

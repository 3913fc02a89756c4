"""RTLIL to an ECP5 netlist, with yosys."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .process import run_tool
from .tools import find_yosys

__all__ = ["SynthesisReport", "netlist_resources", "run_yosys", "synthesise"]


_PASS = re.compile(r"[\d.]+\. Executing (\w+) pass")


@dataclass(frozen=True)
class SynthesisReport:
    """What a synthesised netlist is made of, in cells of the ECP5 library.

    `luts` counts LUT4 cells, and a distributed RAM cell (16 x 4) as the 6 LUT4 that it occupies; `ccu2c` the carry
    cells, which occupy 2 LUT4 each; `ebr` the block RAMs of 18 kbit.
    """

    luts: int
    ccu2c: int
    ff: int
    ebr: int
    multipliers: int
    seconds: float

    @property
    def lut4(self) -> int:
        """LUT4 in all: luts + 2 ccu2c."""
        return self.luts + 2 * self.ccu2c


def netlist_resources(cells: dict[str, int], *, seconds: float) -> SynthesisReport:
    """The report of a netlist with these counts of cells by type."""
    return SynthesisReport(
        luts=cells.get("LUT4", 0) + 6 * cells.get("TRELLIS_DPR16X4", 0),
        ccu2c=cells.get("CCU2C", 0),
        ff=cells.get("TRELLIS_FF", 0),
        ebr=cells.get("DP16KD", 0) + cells.get("PDPW16KD", 0),
        multipliers=cells.get("MULT18X18D", 0),
        seconds=seconds,
    )


def run_yosys(
    commands: list[str],
    *,
    cwd: Path,
    log: Path,
    timeout_s: float | None = None,
    on_line: Callable[[str], None] | None = None,
) -> float:
    """Runs yosys in `cwd` over `commands`; the seconds that it took."""
    tool = find_yosys()
    script = cwd / "commands.ys"
    script.write_text("\n".join(commands) + "\n")
    command = [*tool.command, "-s", script.name]
    seconds = run_tool(command, name="yosys", cwd=cwd, log=log, timeout_s=timeout_s, on_line=on_line)
    script.unlink()
    return seconds


def synthesise(
    folder: Path,
    *,
    name: str = "top",
    measured: str | None = None,
    timeout_s: float | None = None,
    on_pass: Callable[[str], None] | None = None,
) -> SynthesisReport:
    """Synthesises `folder`/`name`.il into `name`.json, a flat netlist for nextpnr without any file's path in it.

    `measured` names a module that is synthesised by itself, so that no logic moves across its border; the report is
    about it, and it is flattened into the top afterwards. `on_pass` hears the names of yosys' passes.

    `-nowidelut` keeps functions of 5 to 7 inputs in trees of LUT4: the multiplexers that join slices would cost area
    to save depth that these pipelines do not have.

    Raises
    ------
    ToolError
        When yosys is missing, fails or exceeds `timeout_s`.
    """

    def on_line(line: str) -> None:
        if on_pass is not None and (match := _PASS.match(line)):
            on_pass(match.group(1).lower())

    module = measured or name
    commands = [f"read_rtlil {name}.il"]
    if measured is not None:
        commands.append(f"setattr -mod -set keep_hierarchy 1 {measured}")
    commands += [
        f"synth_lattice -family ecp5 -nowidelut -top {name}",
        f"tee -q -o {name}.stat.json stat -json {module}",
    ]
    if measured is not None:
        commands += [f"setattr -mod -unset keep_hierarchy {measured}", "flatten"]
    commands += [
        f"select {name}",
        f"setattr -unset src {name}/w:* {name}/c:* {name}/m:*",
        f"setattr -mod -unset src {name}",
        f"write_json -selected {name}.json",
    ]
    seconds = run_yosys(
        commands,
        cwd=folder,
        log=folder / "logs" / "yosys.log",
        timeout_s=timeout_s,
        on_line=on_line,
    )
    statistics_file = folder / f"{name}.stat.json"
    statistics = json.loads(statistics_file.read_text())
    statistics_file.unlink()
    return netlist_resources(statistics["modules"][f"\\{module}"]["num_cells_by_type"], seconds=seconds)

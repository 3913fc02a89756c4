"""RTLIL to a netlist of a target's cells, with yosys."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bnnhw.hw.targets import UNTIL_LUTS, Cells, ToolChain

from .process import ToolError, run_tool
from .tools import YOSYS, find_tool

__all__ = ["SynthesisReport", "run_yosys", "synthesise"]

_CONFLICT = re.compile("Driver-driver conflict|Drivers conflicting")
"""What yosys warns of where it takes a constant for what a cell drives."""
_PASS = re.compile(r"[\d.]+\. Executing (\w+) pass")


@dataclass(frozen=True)
class SynthesisReport:
    """What a synthesised netlist is made of, and the seconds that it took."""

    cells: Cells
    seconds: float


def run_yosys(
    commands: list[str],
    *,
    cwd: Path,
    log: Path,
    timeout_s: float | None = None,
    on_line: Callable[[str], None] | None = None,
) -> float:
    """Runs yosys in `cwd` over `commands`; the seconds that it took."""
    tool = find_tool(YOSYS)
    script = cwd / "commands.ys"
    script.write_text("\n".join(commands) + "\n")
    command = [*tool.command, "-s", script.name]
    seconds = run_tool(command, name="yosys", cwd=cwd, log=log, timeout_s=timeout_s, on_line=on_line)
    script.unlink()
    return seconds


def synthesise(
    folder: Path,
    tools: ToolChain,
    *,
    name: str = "top",
    measured: str | None = None,
    timeout_s: float | None = None,
    on_pass: Callable[[str], None] | None = None,
) -> SynthesisReport:
    """Synthesises `folder`/`name`.il into `name`.json, a flat netlist for nextpnr without any file's path in it.

    `measured` names a module that is synthesised by itself, so that no logic moves across its border; the report is
    about it, and it is flattened into the top afterwards. `on_pass` hears the names of yosys' passes.

    Raises
    ------
    ToolError
        When yosys is missing, fails or exceeds `timeout_s`, or says that its netlist is another design.
    """
    conflicts: list[str] = []

    def on_line(line: str) -> None:
        if _CONFLICT.search(line):
            conflicts.append(line.strip(" :\n"))
        if on_pass is not None and (match := _PASS.match(line)):
            on_pass(match.group(1).lower())

    module = measured or name
    commands = [f"read_rtlil {name}.il", *tools.before]
    if measured is not None:
        commands.append(f"setattr -mod -set keep_hierarchy 1 {measured}")
    synthesis = f"{tools.synthesise} -top {name}"
    if UNTIL_LUTS in (folder / f"{name}.il").read_text():
        # Where LUTs are made, yosys 0.70 can lose the driver of a kept wire that is an inverter, and take x for it.
        unset = f"setattr -unset keep w:* a:{UNTIL_LUTS} %i"
        commands += [f"{synthesis} -run :{tools.maps_luts}", unset, f"{synthesis} -run {tools.maps_luts}:"]
    else:
        commands.append(synthesis)
    commands += [
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
    if conflicts:
        raise ToolError(
            f"yosys made a netlist that is not the design: {conflicts[0]}; another folding or clock makes another "
            f"one; see {folder / 'logs' / 'yosys.log'}"
        )
    statistics_file = folder / f"{name}.stat.json"
    statistics = json.loads(statistics_file.read_text())
    statistics_file.unlink()
    counts = statistics["modules"][f"\\{module}"]["num_cells_by_type"]
    return SynthesisReport(tools.netlist_cells(counts), seconds)

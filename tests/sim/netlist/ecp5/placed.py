"""A unit after nextpnr has placed it, in the batch simulator."""

from pathlib import Path

from amaranth.lib.wiring import Component

from bnnhw.boards.toolchain.prepared_netlist import prepared_netlist
from bnnhw.boards.toolchain.process import run_tool
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.boards.toolchain.tools import find_tool
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.netlist.netlist import convert_component

__all__ = ["placed"]


def placed(unit: Component, folder: Path) -> BatchSimulator:
    """Its cells where they were placed; `folder` holds the files on the way."""
    (folder / "top.il").write_text(convert_component(unit))
    synthesise(folder, ECP5.tools)
    device = ["--25k", "--package", "CABGA381", "--speed", "6"]
    with prepared_netlist(folder, "top", ECP5.tools) as netlist:
        files = ["--json", netlist, "--lpf-allow-unconstrained", "--write", "placed.json"]
        run_tool(
            [*find_tool(ECP5.tools.place_and_route).command, *device, *files, "--no-route"],
            name="nextpnr-ecp5",
            cwd=folder,
            log=folder / "logs" / "nextpnr.log",
        )
    return BatchSimulator.from_design((folder / "placed.json").read_text(), read="read_json")

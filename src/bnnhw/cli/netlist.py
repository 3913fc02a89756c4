"""The core after synthesis, for the ladder: the same tool and settings as a build, the core alone."""

import tempfile
from pathlib import Path

from amaranth.back import rtlil

from bnnhw.boards.synthesis import synthesise
from bnnhw.compiler.schedule import Schedule
from bnnhw.sim.batch import BatchSimulator
from bnnhw.sim.ladder import Rung
from bnnhw.sim.rungs import core_rung


def netlist_rung(schedule: Schedule, *, timeout_s: float | None = None) -> Rung:
    """The core's synthesised netlist of LUT4, CCU2C, TRELLIS_FF and DP16KD cells."""
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as name:
        folder = Path(name)
        (folder / "top.il").write_text(rtlil.convert(schedule.core("ecp5"), name="top", emit_src=False))
        synthesise(folder, timeout_s=timeout_s)
        netlist = (folder / "top.json").read_text()
    simulator = BatchSimulator.from_design(netlist, read="read_json")
    return core_rung("netlist", schedule, simulator)

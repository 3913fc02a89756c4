"""The core after synthesis and after placement, for the ladder: the same tools and settings as a build, the core
alone.

Tests: tests/cli/test_verify.py
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bnnhw.boards.board import Board
from bnnhw.boards.toolchain.placing import place
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.hw.rtlil import convert_to_rtlil
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.ladder import Rung
from bnnhw.sim.ladder.rungs import core_rung


def netlist_rungs(schedule: Schedule, board: Board) -> Iterator[Rung]:
    """The core's netlist of a family's cells, and then the cells that are placed on `board`. Each is made when it is
    asked for."""
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as name:
        folder = Path(name)
        (folder / "top.il").write_text(convert_to_rtlil(schedule.core()))
        synthesise(folder, board.target.tools)
        yield rung_of("netlist", schedule, folder / "top.json")
        place(folder, device=board.device, package=board.package, speed=board.speed)
        yield rung_of("placed", schedule, folder / "top.placed.json")


def rung_of(name: str, schedule: Schedule, netlist: Path) -> Rung:
    """The core of `schedule` as yosys' JSON `netlist` has it."""
    return core_rung(name, schedule, BatchSimulator.from_design(netlist.read_text(), read="read_json"))

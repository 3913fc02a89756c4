"""A formal proof that two components with the same registers compute the same, for all inputs and all states."""

from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from bnnhw.boards.toolchain.synthesis import run_yosys

from .verilog_scenario import yosys_cells


def prove_equal(gold: wiring.Component, gate: wiring.Component, folder: Path) -> None:
    """Raises ToolError unless yosys proves every register's next value and every output of both to be equal.

    Registers are matched by their names; the CCU2C of `gate` are yosys' simulation models.
    """
    for name, component in (("gold", gold), ("gate", gate)):
        (folder / f"{name}.il").write_text(rtlil.convert(component, name=name, emit_src=False))
    cells = yosys_cells("ccu2c_sim.vh", "CCU2C") + yosys_cells("common_sim.vh", "LUT4", "LUT2")
    (folder / "cells.v").write_text(cells)
    prepare = ["read_verilog cells.v"]
    for name in ("gold", "gate"):
        prepare += [f"read_rtlil {name}.il", f"hierarchy -check -top {name}", "proc", f"flatten {name}"]
        prepare += ["opt_clean", f"design -stash {name}", "read_verilog cells.v"]
    run_yosys(
        [
            *prepare[:-1],
            "design -copy-from gold -as gold gold",
            "design -copy-from gate -as gate gate",
            "memory_map",
            "techmap",
            "opt_clean",
            "equiv_make gold gate equiv",
            "hierarchy -top equiv",
            "equiv_simple",
            "equiv_induct",
            "equiv_status -assert",
        ],
        cwd=folder,
        log=folder / "proof.log",
    )

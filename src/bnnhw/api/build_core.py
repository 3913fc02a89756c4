"""The core of a model alone, for people who have a top of their own.

Tests: tests/api/test_build_core.py
"""

from collections.abc import Callable
from pathlib import Path

from bnnhw.boards.folder import staged_build
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report import BuildReport
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.part.names import module_name

from .builds.part import fill_part
from .builds.plan import PlanOptions
from .builds.source import model_file

__all__ = ["build_core"]


def build_core(
    model: str | Path,
    output: str | Path,
    *,
    plan: PlanOptions = PlanOptions(),  # noqa: B008 it is frozen
    check: bool = False,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> BuildReport:
    """Make Verilog of a model's core alone: AXI4-Streams in and out, a bench with golden frames, a FuseSoC core file.

    The bench needs cocotb and Icarus Verilog, nothing of bnnhw; README.md in the folder says how to feed the core. The
    module is called bnn_NAME after the model's file.

    >>> import bnnhw
    >>> report = bnnhw.build_core("model.pt", "build/part", plan=bnnhw.PlanOptions(target_fps=10_000))
    >>> report.provenance.board
    'any FPGA'

    Parameters
    ----------
    model : path
        As for `bnnhw.build`.
    output : path
        The folder, which is whole or not there; a former core of the same name in it is replaced.
    plan : PlanOptions
        Speed, clock, outputs, and the board, whose FPGA's primitives the core has; without one it is plain Verilog for
        any FPGA. Where no speed is asked for, the core is that of a bitstream.
    check : bool
        Evaluate random inputs around every pass of the compiler.
    progress : callable
        Is told each stage, and what it is doing.

    Returns
    -------
    BuildReport
        What report.json holds; cells are the core's, estimated.

    Raises
    ------
    ValueError
        Where the model, the plan or the folder cannot be: one line that says what to do.
    """
    model, output = Path(model), Path(output)
    name = module_name(model.stem)
    with model_file(model, tile=plan.tile) as path:
        graph = load(path)
    integers = integerize(graph, output=plan.outputs, check=check)
    with staged_build(output, what="core", mark=f"{name}.core") as folder:
        schedule = plan.schedule(integers)
        progress("rtl", "writing Verilog")
        target, board = (PORTABLE, "any FPGA") if plan.board is None else (plan.target.target, plan.target.name)
        return fill_part(folder, graph, schedule, name=name, target=target, board=board, model=model)

"""A bitstream of a model, and all that goes with it.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from bnnhw.boards.build import BuildOptions, StopAfter
from bnnhw.boards.folder import staged_build
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report import BuildReport

from .builds.fill import fill_folder
from .builds.plan import PlanOptions
from .builds.source import model_file
from .checks import check_choice, check_count

__all__ = ["build"]


def build(
    model: str | Path,
    output: str | Path,
    *,
    plan: PlanOptions = PlanOptions(),  # noqa: B008 it is frozen
    seed: int = 1,
    retries: int = 3,
    stop_after: StopAfter | None = None,
    time_limit_s: float | None = None,
    check: bool = False,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> BuildReport:
    """Make a bitstream of a model: top.bit or top.bin, top.v, report.html and all that goes with it, in one folder.

    >>> import bnnhw
    >>> plan = bnnhw.PlanOptions(board="ulx3s-85f", target_fps=10_000)
    >>> report = bnnhw.build("model.pt", "build/digits", plan=plan, stop_after="rtl")
    >>> report.performance.core_frames_per_second >= 10_000
    True

    Parameters
    ----------
    model : path
        A model.pt, or a network of `bnnhw.train_lowlight`, of which a core for tiles of a photo is made.
    output : path
        The folder, which is whole or not there; a former build in it is replaced.
    plan : PlanOptions
        Board, speed, clock, outputs, link.
    seed, retries : int
        The placer's seed, and how many further ones may be tried where the clock is missed.
    stop_after : "rtl", "synth" or "route", optional
        Leave out what comes later.
    time_limit_s : float, optional
        Seconds that a tool may take.
    check : bool
        Evaluate random inputs around every pass of the compiler.
    progress : callable
        Is told each stage, and what it is doing.

    Returns
    -------
    BuildReport
        What report.json holds.

    Raises
    ------
    ValueError
        Where the model, the plan or the folder cannot be, or a tool fails: one line that says what to do.
    """
    model, output = Path(model), Path(output)
    check_count("retries", retries, least=0)
    if stop_after is not None:
        check_choice("stop_after", stop_after, get_args(StopAfter))
    with model_file(model, tile=plan.tile) as path:
        graph = load(path)
    integers = integerize(graph, output=plan.outputs, check=check)
    options = BuildOptions(seed=seed, retries=retries, stop_after=stop_after, timeout_s=time_limit_s)
    with staged_build(output) as folder:
        return fill_folder(folder, model, graph, integers, plan, options, progress=progress)

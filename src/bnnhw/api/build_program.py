"""A network as a program for a board's engine.

Tests: tests/cli/test_engine.py
"""

from pathlib import Path
from typing import Literal

from bnnhw.boards.board import get_board
from bnnhw.boards.engines.build import find_engine
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.boards.folder import staged_build

from .builds.plan import DEFAULT_BOARD
from .builds.program import fill_program_folder
from .engine import ENGINE_CLOCK_MHZ

__all__ = ["build_program"]


def build_program(
    model: str | Path,
    output: str | Path,
    *,
    board: str | None = None,
    outputs: Literal["label", "scores"] = "label",
) -> ProgramManifest:
    """Make a program of a model, in seconds, for the engine of a board, which `bnnhw.engine` makes once.

    >>> import bnnhw
    >>> program = bnnhw.build_program("model.pt", "build/program", board="ulx3s-12f")
    >>> program.frames, program.frames_per_second > 100_000
    (8, True)

    Parameters
    ----------
    model : path
        A model.pt.
    output : path
        The folder, which is whole or not there; a former build in it is replaced.
    board : str, optional
        By default the board of `bnnhw.PlanOptions`.
    outputs : "label" or "scores"

    Returns
    -------
    ProgramManifest
        What manifest.json holds: cycles by layer, exact, and the share of the array that works.

    Raises
    ------
    ValueError
        Where the model cannot be, has no place on the engine, or does not fit: one line that says what to do.
    """
    target = get_board(board or DEFAULT_BOARD)
    sizes = sizes_for(target.device)
    made = find_engine(target, sizes)
    clock_hz = made.clock_hz if made else ENGINE_CLOCK_MHZ * 1e6
    with staged_build(Path(output)) as folder:
        return fill_program_folder(folder, Path(model), target, sizes, outputs=outputs, clock_hz=clock_hz)

"""A build's bitstream into the board.

Tests: tests/api/test_examples.py
"""

from dataclasses import dataclass
from pathlib import Path

from bnnhw.boards.board import get_board
from bnnhw.boards.engines.program_folder import ProgramManifest, is_program
from bnnhw.boards.flash import load
from bnnhw.boards.manifest import Manifest

from .builds.engine_folder import engine_of

__all__ = ["Flashed", "flash"]


@dataclass(frozen=True, kw_only=True)
class Flashed:
    """The `bitstream` that is on the `board` of that name now, and the `loader` that brought it there."""

    bitstream: Path
    board: str
    loader: str


def flash(build: str | Path, *, time_limit_s: float = 120) -> Flashed:
    """Load the bitstream of a build into the board's FPGA, with openFPGALoader or whichever loader is installed.

    >>> import bnnhw
    >>> bnnhw.flash("build/digits").board    # doctest: +SKIP
    'ulx3s-85f'

    Parameters
    ----------
    build : path
        The folder of a whole build; or of a program, whose engine is flashed then.
    time_limit_s : float
        Seconds that the loader may take.

    Raises
    ------
    ValueError
        Where the folder is no build, no loader is installed, or none finds the board.
    """
    folder = Path(build)
    if is_program(folder):
        with engine_of(ProgramManifest.read(folder), simulated=False) as (made, engine):
            bitstream, board = made / "top.bit", engine.board
    else:
        bitstream, board = folder / "top.bit", Manifest.read(folder).board
    loader = load.flash(bitstream, get_board(board), timeout_s=time_limit_s)
    return Flashed(bitstream=bitstream, board=board, loader=loader)

"""The engine that a program runs on: in the user's cache, or for the virtual board its RTL alone.

Tests: tests/cli/test_engine.py
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bnnhw.boards.board import get_board
from bnnhw.boards.build import BuildOptions
from bnnhw.boards.engines.build import build_engine, cached_engine, find_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest

__all__ = ["engine_of"]


@contextmanager
def engine_of(program: ProgramManifest, *, simulated: bool) -> Iterator[tuple[Path, EngineManifest]]:
    """The folder and the manifest of a program's engine.

    One that is not in the user's cache is made for a simulation, for as long as the block lasts, as RTL alone. Raises
    ValueError where a real board's is not there.
    """
    board = get_board(program.board)
    if (found := find_engine(board, program.sizes)) is not None:
        yield cached_engine(board, program.sizes), found
        return
    if not simulated:
        raise ValueError(f"no engine was made for {board.name} yet; `bnnhw engine` makes it, once")
    with tempfile.TemporaryDirectory(prefix="bnnhw-engine-") as name:
        folder = Path(name) / "engine"
        options = BuildOptions(stop_after="rtl")
        manifest, _ = build_engine(
            board, program.sizes, folder, options, clock_hz=program.clock_hz, link=program.link_choice
        )
        yield folder, manifest

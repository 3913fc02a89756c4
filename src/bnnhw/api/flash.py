"""A build's bitstream into the board.

Tests: tests/api/test_examples.py
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bnnhw.boards.board import Board, get_board
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest, is_program
from bnnhw.boards.flash import load
from bnnhw.boards.host.flash_image import flash_image
from bnnhw.boards.manifest import Manifest

from .builds.engine_folder import engine_of
from .builds.opened import built_network, check_side_by_side
from .builds.program import BuiltProgram

__all__ = ["Flashed", "flash"]

_SRAM_S, _FLASH_S = 120, 3600


@dataclass(frozen=True, kw_only=True)
class Flashed:
    """The `bitstream` that is on the `board` of that name now, and the `loader` that brought it there.

    Attributes
    ----------
    bitstream, board, loader
    in_flash : bool
        Whether it is in the board's flash, and stays there.
    program_bytes : int
        What stands behind the bitstream in the board's flash, for an engine to begin with.
    start_s : float
        Seconds in which the engine takes that when it starts.
    """

    bitstream: Path
    board: str
    loader: str
    in_flash: bool
    program_bytes: int = 0
    start_s: float = 0.0


def flash(build: str | Path, *more: str | Path, persistent: bool = False, time_limit_s: float | None = None) -> Flashed:
    """Load the bitstream of a build into the board's FPGA, with openFPGALoader or whichever loader is installed.

    Where a board has a bootloader (OrangeCrab, ButterStick, LogicBone, Supercon badge), that loads it into the flash.

    >>> import bnnhw
    >>> bnnhw.flash("build/digits").board    # doctest: +SKIP
    'ulx3s-85f'

    Parameters
    ----------
    build : path
        The folder of a whole build; or of a program, whose engine is flashed then.
    more : paths
        Further programs for that engine, with `persistent`.
    persistent : bool
        Into the board's flash, from which the FPGA starts by itself. The engine of a program then takes that program
        and `more` from there into its external memory, so that no host brings them.
    time_limit_s : float, optional
        Seconds that the loader may take each time; by default 120, and an hour with `persistent`.

    Raises
    ------
    ValueError
        Where the folder is no build, no loader is installed, none finds the board, or the flash has no room.
    """
    folders = [Path(build), *map(Path, more)]
    if more and not persistent:
        raise ValueError("several programs go into the flash of a board alone; name one, or make it persistent")
    if not is_program(folders[0]):
        board = get_board(Manifest.read(folders[0]).board)
        if more:
            raise ValueError(f"{folders[0]} fills the board alone; only programs of one engine are flashed together")
        return _flash(folders[0], board, persistent=persistent, time_limit_s=time_limit_s)
    with engine_of(ProgramManifest.read(folders[0]), simulated=False) as (made, engine):
        image = _image(folders, engine) if persistent else b""
        if image:
            _write_image(image, made, engine, limit_s=time_limit_s or _FLASH_S)
        flashed = _flash(made, get_board(engine.board), persistent=persistent, time_limit_s=time_limit_s)
        return replace(flashed, program_bytes=len(image), start_s=engine.seconds_for(len(image)))


def _flash(folder: Path, board: Board, *, persistent: bool, time_limit_s: float | None) -> Flashed:
    """The bitstream in a folder onto the board."""
    bitstream = folder / board.target.tools.bitstream
    in_flash = persistent or board.bootloader is not None
    limit_s = time_limit_s or (_FLASH_S if in_flash else _SRAM_S)
    loader = load.flash(bitstream, board, timeout_s=limit_s, into_flash_at=0 if persistent else None)
    return Flashed(bitstream=bitstream, board=board.name, loader=loader, in_flash=in_flash)


def _image(folders: Sequence[Path], engine: EngineManifest) -> bytes:
    """What the board's flash shall hold of programs; nothing where hosts bring all of them, which is soon done."""
    networks = [built_network(folder) for folder in folders]
    check_side_by_side(networks)
    programs = [each.made.program for each in networks if isinstance(each.made, BuiltProgram)]
    outside = [program for program in programs if program.external_parts]
    if outside and engine.flash_at is None:
        raise ValueError(f"the engine of {engine.board} does not look into the flash; make it anew with `bnnhw engine`")
    return flash_image(outside) if outside else b""


def _write_image(image: bytes, folder: Path, engine: EngineManifest, *, limit_s: float) -> None:
    """Behind the place of the bitstream, and before that is written: so the new one never starts without them."""
    board = get_board(engine.board)
    bitstream = folder / board.target.tools.bitstream
    assert engine.flash_at is not None
    assert board.flash is not None
    if bitstream.stat().st_size > engine.flash_at:
        raise ValueError(f"{bitstream} is larger than the {engine.flash_at:,} bytes that the flash has for it")
    if len(image) > (room := board.flash.size - engine.flash_at):
        raise ValueError(f"{len(image):,} bytes of programs are more than the {room:,} of the flash; leave some out")
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as name:
        path = Path(name) / "programs.img"
        path.write_bytes(image)
        load.flash(path, board, timeout_s=limit_s, into_flash_at=engine.flash_at)

"""A board's engine: the bitstream that runs programs, and programs for it.

Tests: tests/cli/test_engine.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bnnhw.boards.board import get_board
from bnnhw.boards.build import BuildFigures, BuildOptions, StopAfter
from bnnhw.boards.engines.build import build_engine, cached_engine, find_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.boards.folder import staged_build
from bnnhw.boards.link_choice import LinkChoice

from .builds.plan import DEFAULT_BOARD
from .builds.program import fill_program_folder
from .checks import check_choice, check_count

__all__ = ["ENGINE_CLOCK_MHZ", "EngineBuilt", "build_program", "engine"]

ENGINE_CLOCK_MHZ = 90.0
"""Where no clock is asked for."""


@dataclass(frozen=True, kw_only=True)
class EngineBuilt:
    """An engine's `folder`, what its manifest says, and what building it found out."""

    folder: Path
    manifest: EngineManifest
    figures: BuildFigures


def engine(
    board: str | None = None,
    output: str | Path | None = None,
    *,
    clock_mhz: float = ENGINE_CLOCK_MHZ,
    link: Literal["uart", "udp", "usb"] | None = None,
    baud: int | None = None,
    address: str | None = None,
    from_flash: bool = True,
    seed: int = 1,
    retries: int = 0,
    stop_after: StopAfter | None = None,
    time_limit_s: float | None = None,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> EngineBuilt:
    """Make the bitstream of a board's engine, which runs the programs that `bnnhw.build_program` makes of networks.

    >>> import bnnhw
    >>> built = bnnhw.engine("ulx3s-12f", "build/engine", stop_after="rtl")
    >>> built.manifest.shape.array.macs
    2048

    Parameters
    ----------
    board : str, optional
        By default the board of `bnnhw.PlanOptions`.
    output : path, optional
        The folder; by default one in the user's cache, where programs' users look for it.
    from_flash : bool
        Where the board's flash is known, the engine starts with what `bnnhw.flash` leaves there of programs.
    link, baud, address
        As of `bnnhw.PlanOptions`.
    clock_mhz, seed, retries, stop_after, time_limit_s, progress
        As for `bnnhw.build`.

    Raises
    ------
    ValueError
        Where the board has no room for an engine, the folder cannot be, or a tool fails.
    """
    target = get_board(board or DEFAULT_BOARD)
    check_count("retries", retries, least=0)
    if stop_after is not None:
        check_choice("stop_after", stop_after, get_args(StopAfter))
    choice = LinkChoice.of(link or target.default_link, baud=baud, address=address)
    choice.check(target)
    sizes = sizes_for(target)
    folder = cached_engine(target, sizes) if output is None else Path(output)
    options = BuildOptions(seed=seed, retries=retries, stop_after=stop_after, timeout_s=time_limit_s)
    manifest, figures = build_engine(
        target,
        sizes,
        folder,
        options,
        clock_hz=clock_mhz * 1e6,
        link=choice,
        from_flash=from_flash,
        progress=progress,
    )
    return EngineBuilt(folder=folder, manifest=manifest, figures=figures)


def build_program(
    model: str | Path,
    output: str | Path,
    *,
    board: str | None = None,
    outputs: Literal["label", "scores"] = "label",
    tile: int | None = None,
) -> ProgramManifest:
    """Make a program of a model, in seconds, for the engine of a board, which `bnnhw.engine` makes once.

    Its folder has a page, report.html: cycles and bytes by layer, and the roofline.

    >>> import bnnhw
    >>> program = bnnhw.build_program("model.pt", "build/program", board="ulx3s-12f")
    >>> program.frames, program.frames_per_second > 100_000
    (4, True)

    Parameters
    ----------
    model : path
        A model.pt, or a network of `bnnhw.train_lowlight`.
    output : path
        The folder, which is whole or not there; a former build in it is replaced.
    board : str, optional
        By default the board of `bnnhw.PlanOptions`.
    outputs : "label" or "scores"
    tile : int, optional
        Of a low-light network, as of `bnnhw.PlanOptions`: frames are windows of a tile and its halo.

    Returns
    -------
    ProgramManifest
        What manifest.json holds: cycles and bytes by layer, exact, and the share of the array that works.

    Raises
    ------
    ValueError
        Where the model cannot be, has no place on the engine, or does not fit: one line that says what to do.
    """
    target = get_board(board or DEFAULT_BOARD)
    sizes = sizes_for(target)
    made = find_engine(target, sizes)
    clock_hz, link = (
        (made.clock_hz, made.link_choice) if made else (ENGINE_CLOCK_MHZ * 1e6, LinkChoice.of(target.default_link))
    )
    with staged_build(Path(output)) as folder:
        return fill_program_folder(
            folder, Path(model), target, sizes, outputs=outputs, tile=tile, clock_hz=clock_hz, link=link
        )

"""An engine's bitstream, from its sizes.

Tests: tests/cli/test_engine.py
"""

from pathlib import Path

from bnnhw.boards.board import Board
from bnnhw.boards.build import BuildFigures, BuildOptions, Progress, build_component
from bnnhw.boards.folder import staged_build
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import ManifestError
from bnnhw.boards.sdram_pads import late_ns
from bnnhw.files import cache_folder
from bnnhw.hw.engine.boot.engine_with_flash import EngineWithFlash
from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.engine.program.packets import PACKET_WORDS
from bnnhw.hw.top import Top

from .manifest import EngineManifest
from .sizes import EngineSizes

__all__ = ["build_engine", "cached_engine", "find_engine"]


def cached_engine(board: Board, sizes: EngineSizes) -> Path:
    """The folder in the user's cache where the engine of a board is kept; it need not be there."""
    return cache_folder() / "engines" / f"{board.name}-{sizes.shape(board.target).identity.hex()}"


def find_engine(board: Board, sizes: EngineSizes) -> EngineManifest | None:
    """The manifest of a board's engine in the user's cache; None where there is none, or one of another version."""
    try:
        return EngineManifest.read(cached_engine(board, sizes))
    except ManifestError:
        return None


def build_engine(
    board: Board,
    sizes: EngineSizes,
    folder: Path,
    options: BuildOptions,
    *,
    clock_hz: float,
    link: LinkChoice,
    from_flash: bool = True,
    progress: Progress | None = None,
) -> tuple[EngineManifest, BuildFigures]:
    """Makes a board's engine: `folder` has the files of any build's design, and the manifest.

    from_flash: with external memory, it begins with the programs of the board's flash where that is known.

    Raises ToolError and ValueError as `bnnhw.boards.build.build` does.
    """
    shape = sizes.shape(board.target)
    chip = sizes.chip
    pll = board.target.clock_settings(
        input_hz=board.clock_hz,
        output_hz=round(clock_hz),
        late_ns=None if chip is None else late_ns(round(clock_hz)),
    )
    core, flash_at = Engine(shape), None
    if chip is not None:
        core = EngineWithMemory(shape, chip=chip, clock_hz=pll.output_hz)
        if from_flash and board.flash is not None:
            flash_at = board.flash.programs_at
            core = EngineWithFlash(core, offset=flash_at, clock_hz=pll.output_hz)
    top = Top(
        core=core,
        port=link.port(board, clock_hz=pll.output_hz),
        clock_hz=pll.output_hz,
        network_id=shape.identity,
        input_elements=PACKET_WORDS,
        output_elements=PACKET_WORDS,
        target=board.target,
    )
    with staged_build(folder, what="engine") as staged:
        figures = build_component(top, board, staged, options, pll=pll, progress=progress)
        manifest = EngineManifest(
            board=board.name,
            sizes=sizes,
            clock_hz=figures.clock_hz,
            fmax_hz=figures.routing.fmax_hz if figures.routing else None,
            baud=link.baud,
            address=link.address,
            seed=figures.routing.seed if figures.routing else options.seed,
            versions=figures.versions,
            flash_at=flash_at,
        )
        manifest.write(staged)
    return manifest, figures

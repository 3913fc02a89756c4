"""What a core, or a program for an engine, gives of tiles of a photo, and what block RAM other tiles would take.

Tests: tests/api/test_tile_note.py
"""

from dataclasses import replace
from math import ceil, prod

from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.compiler.report import BuildReport
from bnnhw.lowlight.network.shape import BLOCK, NetworkShape
from bnnhw.lowlight.tiles import Tiling

__all__ = ["program_tile_note", "tile_note"]

PHOTO = (3008, 4000)
"""Pixels of a photo of 12 megapixels."""
ROWS = ("sliding window", "line buffer", "pooling", "space to depth", "depth to space", "queue")
"""Engines that hold rows of an image, or what waits while so many rows pass."""


def tile_note(report: BuildReport, *, tiling: Tiling, block: int = 2) -> str:
    """Of a core for such windows, whose packed pixels are `block` of a photo along each side: tiles a second, how long
    a photo of 12 megapixels takes by the exact cycles, and the block RAM of this tile and, reckoned from it, of others:
    rows are as much longer as images are wider; weights stay."""
    tile, side = tiling.tile, tiling.side
    others = (other for other in (BLOCK, 2 * tile, 4 * tile) if other != tile)
    guesses = [
        f"{block_rams(report, replace(tiling, tile=other).side / side)} for tiles of {other}" for other in others
    ]
    return (
        f"{_pace(report.performance.core_frames_per_second, tiling, block)}; {block_rams(report, 1)} of "
        f"{report.device.ebr} block RAMs, about {' and '.join(guesses)}"
    )


def program_tile_note(program: ProgramManifest, *, shape: NetworkShape) -> str:
    """Of a program whose frames are windows of a network of that shape: tiles a second, and how long a photo of 12
    megapixels takes by the exact cycles."""
    tiling = Tiling.of(shape, tile=program.tile, fixed=True, batch=program.frames)
    return f"{_pace(program.frames_per_second, tiling, shape.filters.block)}, without the link"


def _pace(rate: float, tiling: Tiling, block: int) -> str:
    """What so many windows a second give, which come in whole batches."""
    tile, side = tiling.tile, tiling.side
    count = prod(len(list(tiling.spans(length // block))) for length in PHOTO)
    seconds = ceil(count / tiling.batch) * tiling.batch / rate
    return (
        f"windows of {side}x{side} give tiles of {tile}x{tile} packed pixels: {rate:.3g} tiles/s, a photo of 12 "
        f"megapixels in {seconds:.3g} s"
    )


def block_rams(report: BuildReport, wider: float) -> int:
    """Those of the units, estimated, of images that are so many times as wide."""
    cells = [(unit.engine, unit.estimated.ebr or 0) for unit in report.units if unit.estimated is not None]
    return sum(ceil(ebr * wider) if engine in ROWS else ebr for engine, ebr in cells)

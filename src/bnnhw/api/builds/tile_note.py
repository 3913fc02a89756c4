"""What a core for tiles of a photo gives, and what block RAM cores for other tiles would take.

Tests: tests/api/test_tile_note.py
"""

from dataclasses import replace
from math import ceil, prod

from bnnhw.compiler.report import BuildReport
from bnnhw.lowlight.network.shape import BLOCK
from bnnhw.lowlight.tiles import Tiling

__all__ = ["tile_note"]

PHOTO = (3008, 4000)
"""Pixels of a photo of 12 megapixels."""
ROWS = ("sliding window", "line buffer", "pooling", "space to depth", "depth to space", "queue")
"""Engines that hold rows of an image, or what waits while so many rows pass."""


def tile_note(report: BuildReport, *, tiling: Tiling, block: int = 2) -> str:
    """Of a core for such windows, whose packed pixels are `block` of a photo along each side: tiles a second, how long
    a photo of 12 megapixels takes by the exact cycles, and the block RAM of this tile and, reckoned from it, of others:
    rows are as much longer as images are wider; weights stay."""
    tile, side = tiling.tile, tiling.side
    count = prod(len(list(tiling.spans(length // block))) for length in PHOTO)
    rate = report.performance.core_frames_per_second
    others = (other for other in (BLOCK, 2 * tile, 4 * tile) if other != tile)
    guesses = [
        f"{block_rams(report, replace(tiling, tile=other).side / side)} for tiles of {other}" for other in others
    ]
    return (
        f"windows of {side}x{side} give tiles of {tile}x{tile} packed pixels: {rate:.3g} tiles/s, a photo "
        f"of 12 megapixels in {count / rate:.3g} s; {block_rams(report, 1)} of {report.device.ebr} block RAMs, about "
        f"{' and '.join(guesses)}"
    )


def block_rams(report: BuildReport, wider: float) -> int:
    """Those of the units, estimated, of images that are so many times as wide."""
    cells = [(unit.engine, unit.estimated.ebr or 0) for unit in report.units if unit.estimated is not None]
    return sum(ceil(ebr * wider) if engine in ROWS else ebr for engine, ebr in cells)

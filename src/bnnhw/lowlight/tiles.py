"""Pictures tile by tile, without seams: each tile is computed with all that its result depends on around it.

Tests: tests/lowlight/test_tiles.py
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .mosaic import block_of
from .network.shape import BLOCK, HALO, NetworkShape

__all__ = ["Compute", "Span", "Tiling", "in_tiles"]

Compute = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Packed, amplified mosaics (N, C, H, W) to pictures (N, block * H, block * W, 3) in sRGB."""


class Span(NamedTuple):
    """Packed pixels along one axis: from `begin` to `end` of the picture are taken from this window's result."""

    begin: int
    end: int
    window: slice

    def of_photo(self, block: int) -> slice:
        """Where they lie in the picture, of which each packed pixel is `block` along each side."""
        return slice(block * self.begin, block * self.end)

    def of_window(self, block: int) -> slice:
        """Where they lie in the window's result."""
        return slice(block * (self.begin - self.window.start), block * (self.end - self.window.start))


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a photo is cut.

    Attributes
    ----------
    tile : int
        Packed pixels along each side of what a window adds to the picture, a multiple of `block`.
    block, halo : int
        The network's (`NetworkShape`); by default what does for all kinds.
    fixed : bool
        Whether all windows have the size `side`, as a core's images have; else they end where the photo does.
    batch : int
        Windows that are computed at once; more than one only where they are of one size.
    """

    tile: int = 512
    block: int = BLOCK
    halo: int = HALO
    fixed: bool = False
    batch: int = 1

    def __post_init__(self) -> None:
        if self.tile < 1 or self.tile % self.block:
            raise ValueError(f"tile={self.tile} must be a multiple of {self.block}, and at least {self.block}")

    @classmethod
    def of(cls, shape: NetworkShape, **options: Any) -> "Tiling":
        """For a network of this shape."""
        return cls(block=shape.block, halo=shape.halo, **options)

    @property
    def side(self) -> int:
        """Packed pixels along each side of a window: the tile, and on both sides what it depends on."""
        return self.tile + 2 * self.halo

    def spans(self, length: int) -> Iterator[Span]:
        """Those of one axis of a photo of `length` packed pixels, not fewer than `side` where windows are fixed.

        What lies at the photo's border depends on nothing beyond it: there, fixed windows give more than a tile.
        """
        begin = 0
        while begin < length:
            first, last = max(begin - self.halo, 0), min(begin + self.tile + self.halo, length)
            if self.fixed:
                first = min(first, length - self.side)
                last = first + self.side
            end = length if last == length else last - self.halo
            yield Span(begin, end, slice(first, last))
            begin = end


def in_tiles(
    packed: NDArray[np.float32],
    compute: Compute,
    tiling: Tiling,
    *,
    on_tile: Callable[[int, int], None] = lambda done, count: None,
) -> NDArray[np.float32]:
    """The picture (block*H, block*W, 3) of a packed mosaic (C, H, W), as if it had been computed at once.

    The mosaic is mirrored at its lower and right border up to a multiple of the network's blocks, and to a window's
    size where that is fixed. `on_tile` is told how many tiles are done, and how many there are.
    """
    channels, height, width = packed.shape
    block = block_of(channels)
    least = tiling.side if tiling.fixed else 0
    missing = ((0, 0), *((0, max(least, length + -length % tiling.block) - length) for length in (height, width)))
    packed = np.pad(packed, missing, mode="reflect")
    picture = np.empty((block * packed.shape[1], block * packed.shape[2], 3), np.float32)
    places = list(product(*(list(tiling.spans(length)) for length in packed.shape[1:])))
    for done in range(0, len(places), tiling.batch):
        batch = places[done : done + tiling.batch]
        made = compute(np.stack([packed[:, rows.window, columns.window] for rows, columns in batch]))
        for (rows, columns), whole in zip(batch, made, strict=True):
            picture[rows.of_photo(block), columns.of_photo(block)] = whole[
                rows.of_window(block), columns.of_window(block)
            ]
        on_tile(done + len(batch), len(places))
    return np.clip(picture[: block * height, : block * width], 0, 1)

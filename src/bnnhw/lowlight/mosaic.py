"""A sensor's mosaic and its packed form.

A mosaic (H, W) has one number for each pixel, under a filter that begins as `filters.py` has it. Packed, it is an image
(C, H/block, W/block). Shifts of packed pixels keep each colour in its channel, of X-Trans such by an even sum of rows
and columns.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from .filters import BAYER, ColourFilter

__all__ = ["amplify", "block_of", "extend", "mirror_columns", "mirror_rows", "pack", "unpack"]


def pack(mosaic: NDArray[np.float32], filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """(H, W) -> (C, H/block, W/block); H and W are multiples of the block."""
    block = filters.block
    kinds = [np.stack([mosaic[row::block, column::block] for row, column in places]) for places in filters.places]
    return np.choose(_kinds(kinds[0], len(kinds)), kinds)


def unpack(packed: NDArray[np.float32], filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """The inverse of `pack`."""
    channels, height, width = packed.shape
    block = filters.block
    mosaic = np.empty((block * height, block * width), packed.dtype)
    kinds = _kinds(packed, len(filters.places))
    for kind, places in enumerate(filters.places):
        for channel, (row, column) in zip(range(channels), places, strict=True):
            np.copyto(mosaic[row::block, column::block], packed[channel], where=kinds == kind)
    return mosaic


def _kinds(packed: NDArray, count: int) -> NDArray[np.intp]:
    """Which of so many kinds each block of (C, height, width) is."""
    y, x = np.indices(packed.shape[1:])
    return np.remainder(y + x, count)


def block_of(channels: int) -> int:
    """Pixels along each side of a block that has so many channels."""
    return isqrt(channels)


def extend(
    image: NDArray[np.float32], border: tuple[tuple[int, int], tuple[int, int]], filters: ColourFilter
) -> NDArray[np.float32]:
    """An image (H, W, ...) with so many more rows (above, below) and columns (left, right), fewer than the filter's
    period each: those that lie a period farther in, so that all have the colours that the filter has there."""
    for axis, (before, after) in enumerate(border):
        length = image.shape[axis]
        places = np.arange(-before, length + after)
        image = image.take(places + filters.period * ((places < 0) * 1 - (places >= length)), axis=axis)
    return image


def mirror_columns(image: NDArray[np.float32], filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """(H, W, ...) -> (H, W - period, ...), left to right; W is a multiple of the period. Without some of its outermost
    columns a mosaic begins as the filter does again; a picture beside it loses the same ones."""
    column = filters.mirror[1]
    return image[:, column - filters.period : column : -1]


def mirror_rows(image: NDArray[np.float32], filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """(H, W, ...) -> (H - period, W, ...), upside down, as `mirror_columns`."""
    row = filters.mirror[0]
    return image[row - filters.period : row : -1]


def amplify(mosaic: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """min(max(mosaic * ratio, 0), 1): a short exposure as bright as one that is `ratio` times as long."""
    return np.clip(mosaic * np.float32(ratio), 0, 1)

"""A sensor's mosaic and its packed form.

A mosaic (H, W) has one number for each pixel, under a filter of 2x2 colours that begins with red::

    R  Gr R  Gr ..        Gr: the green in the rows of red
    Gb B  Gb B  ..        Gb: the green in the rows of blue

Packed, it is an image (4, H/2, W/2) with the channels R, Gr, B, Gb: the order of "Learning to See in the Dark". Its
pixel (y, x) holds the mosaic's 2x2 block at (2y, 2x), so any shift of packed pixels keeps each colour in its channel.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANNELS", "amplify", "mirror_columns", "mirror_rows", "pack", "unpack"]

CHANNELS = ((0, 0), (0, 1), (1, 1), (1, 0))
"""Row and column of each channel in its block."""


def pack(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) -> (4, H/2, W/2); H and W are even."""
    return np.stack([mosaic[row::2, column::2] for row, column in CHANNELS])


def unpack(packed: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `pack`."""
    _, height, width = packed.shape
    mosaic = np.empty((2 * height, 2 * width), packed.dtype)
    for channel, (row, column) in zip(packed, CHANNELS, strict=True):
        mosaic[row::2, column::2] = channel
    return mosaic


def mirror_columns(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, ...) -> (H, W - 2, ...), left to right. Without its outermost columns a mosaic begins with red again; a
    picture beside it loses the same ones."""
    return image[:, -2:0:-1]


def mirror_rows(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, ...) -> (H - 2, W, ...), upside down, as `mirror_columns`."""
    return image[-2:0:-1]


def amplify(mosaic: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """min(max(mosaic * ratio, 0), 1): a short exposure as bright as one that is `ratio` times as long."""
    return np.clip(mosaic * np.float32(ratio), 0, 1)

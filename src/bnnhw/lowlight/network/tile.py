"""The low-light network of one tile of a photo, as a model.pt like any other.

Tests: tests/lowlight/network/test_tile.py
"""

from pathlib import Path

import numpy as np

from bnnhw.model.export import save

from .deployed import INPUT_RANGE, calibrated
from .file import LowlightFile

__all__ = ["save_tile", "save_window"]


def save_tile(given: LowlightFile, path: Path, *, tile: int) -> None:
    """Writes the model.pt of the network on windows of `tile` packed pixels and the network's halo on each side:
    images (side, side, C) of `INPUT_RANGE` to (block*side, block*side, 3).

    ValueError where there is no such tile, no hardware for the network, or nothing to choose its fixed-point numbers
    by.
    """
    shape = given.network.shape
    if tile < shape.block or tile % shape.block:
        raise ValueError(f"tile={tile} must be a multiple of {shape.block}, and at least {shape.block}")
    save_window(given, path, side=tile + 2 * shape.halo)


def save_window(given: LowlightFile, path: Path, *, side: int) -> None:
    """The same of windows of `side` packed pixels, whatever they are for."""
    if given.mosaics is None:
        raise ValueError(
            "the network's file holds no mosaics to choose its fixed-point numbers by; train it again with this "
            "version of bnnhw lowlight train"
        )
    network = calibrated(given.network, given.mosaics)
    repeats = (1, *(-(-side // length) for length in given.mosaics.shape[1:3]), 1)
    window = np.tile(given.mosaics[:1].astype(np.int64), repeats)[:, :side, :side]
    save(network, path, example_input=window, input_range=INPUT_RANGE)

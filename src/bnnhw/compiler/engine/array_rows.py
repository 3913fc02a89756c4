"""Which row of a layer each row of the array has.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .layers import EngineLayer

__all__ = ["ArrayRows", "array_rows"]


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """The rows of all tiles, one behind the other.

    Where weights are sums of bases, a group of rows has one basis of its channels, and the next groups the others; all
    in one tile. `inside` tiles, one behind the other, have as many channels as a tile of single bases. Where channels
    become pixels, those of the first pixel of each block come first, in tiles of their own.

    Attributes
    ----------
    tiles, inside : int
    channels, bases : (tiles * rows of the array,) int64
        -1 for a row that has none.
    gives_bits : (tiles * rows of the array,) bool
        Rows whose bits, some of no channel among them, make words.
    """

    tiles: int
    inside: int
    channels: NDArray[np.int64]
    bases: NDArray[np.int64]
    gives_bits: NDArray[np.bool_]

    @property
    def used(self) -> NDArray[np.bool_]:
        """Rows of the array that have one."""
        return self.channels >= 0


@lru_cache(maxsize=256)
def array_rows(layer: EngineLayer, shape: EngineShape) -> ArrayRows:
    """Raises ScheduleError where a channel has more bases than a tile has groups of rows."""
    array, count = shape.array, len(weight_bases(layer.conv).factors)
    if count > array.row_groups:
        raise ScheduleError(
            f"node {layer.name!r} has weights of {count} bases, and the engine {array.row_groups} groups of rows; "
            "take weights of fewer bits, or an engine of more rows"
        )
    phases = layer.block**2
    channels = layer.conv.rows // phases
    outside = ceil(channels / array.rows)
    words = [_word(range(at, min(at + array.rows, channels)), count, shape) for at in range(0, channels, array.rows)]
    inside = max(len(tiles) for tiles in words)
    empty = _Group()
    groups = [
        group
        for tiles in words
        for tile in (*tiles, *[()] * (inside - len(tiles)))
        for group in (*tile, *[empty] * (array.row_groups - len(tile)))
    ]
    row = np.arange(array.group_rows)
    channel = np.array([group.first for group in groups])[:, None] + row
    used = row < np.array([group.channels for group in groups])[:, None]
    basis = np.broadcast_to(np.array([group.basis for group in groups])[:, None], used.shape)
    gives_bits = np.broadcast_to(np.array([group.gives_bits for group in groups])[:, None], used.shape)
    return ArrayRows(
        phases * outside * inside,
        inside,
        np.concatenate([np.where(used, channel * phases + phase, -1).reshape(-1) for phase in range(phases)]),
        np.tile(np.where(used, basis, -1).reshape(-1), phases),
        np.tile(gives_bits.reshape(-1), phases),
    )


@dataclass(frozen=True)
class _Group:
    """Rows of one basis of so many channels from the first one on."""

    first: int = 0
    channels: int = 0
    basis: int = 0
    gives_bits: bool = False


def _word(channels: range, count: int, shape: EngineShape) -> list[list[_Group]]:
    """The tiles, groups of rows each, of these channels' bases, and of rows that fill their bits up to a tile's."""
    array = shape.array
    tiles: list[list[_Group]] = [[]]
    for at in range(channels.start, channels.start + array.rows, array.group_rows):
        used = max(0, min(array.group_rows, channels.stop - at))
        bases = count if used else 1
        if len(tiles[-1]) + bases > array.row_groups:
            tiles.append([])
        tiles[-1] += [_Group(at, used, basis, gives_bits=basis == bases - 1) for basis in range(bases)]
    return tiles

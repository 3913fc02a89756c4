"""Which row of a layer each row of the array has.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .layers import EngineLayer
from .weight_bases import weight_bases

__all__ = ["ArrayRows", "array_rows"]


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """The rows of all tiles, one behind the other.

    Where weights are sums of bases, a group of rows has one basis of its channels, and the next groups the others; all
    in one tile. Where channels become pixels, those of the first pixel of each block come first, in tiles of their own.

    Attributes
    ----------
    tiles : int
    channels, bases : (tiles * rows of the array,) int64
        -1 for a row that has none.
    """

    tiles: int
    channels: NDArray[np.int64]
    bases: NDArray[np.int64]

    @property
    def used(self) -> NDArray[np.bool_]:
        """Rows of the array that have one."""
        return self.channels >= 0


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
    chunks = ceil(channels / array.group_rows)  # channels of a group of rows
    in_tile = array.row_groups // count
    tiles = ceil(chunks / in_tile)
    # (phases, tiles, groups of rows, rows of a group)
    group = np.arange(array.row_groups)
    chunk = np.arange(tiles)[:, None] * in_tile + group // count
    channel = chunk[..., None] * array.group_rows + np.arange(array.group_rows)
    is_used = (group < in_tile * count)[:, None] & (channel < channels)
    channel = np.stack([np.where(is_used, channel * phases + phase, -1) for phase in range(phases)])
    basis = np.where(channel >= 0, (group % count)[:, None], -1)
    return ArrayRows(phases * tiles, channel.reshape(-1), basis.reshape(-1))

"""A layer's taps, weights and thresholds, as the engine's memories hold them.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import KEPT_DELAY
from bnnhw.hw.engine.program.instruction import Tap

from .array_rows import array_rows
from .layers import EngineLayer
from .maps import MapPlace
from .values.factors import value_parameters

__all__ = [
    "check_sums",
    "groups_of_tile",
    "layer_parameters",
    "layer_taps",
    "layer_weights",
    "row_tiles_of",
    "weight_step_of",
]


def row_tiles_of(layer: EngineLayer, shape: EngineShape) -> int:
    """Tiles of the array's rows that make all of the layer's."""
    return array_rows(layer, shape).tiles


def groups_of_tile(layer: EngineLayer, shape: EngineShape) -> int:
    """Groups of thresholds and factors that a tile of the layer's rows has: for each of the inputs' bases its own."""
    return len(layer.bases) * shape.array.row_groups


def weight_step_of(layer: EngineLayer, shape: EngineShape) -> int:
    """Words of weights of a tile of rows: those of a window's channels."""
    height, width = layer.conv.kernel
    return height * width * sum(-(-channels // shape.array.simd) for channels in layer.channels)


def layer_taps(layer: EngineLayer, sources: Sequence[MapPlace], shape: EngineShape) -> list[Tap]:
    """The beats of a tile of each of the inputs' bases, as many of each."""
    count = max(1, len(layer.channels))
    return [
        tap
        for first in range(0, count * len(layer.bases), count)
        for tap in _tile_taps(layer, sources[first : first + count], sources[0].base if sources else 0, shape)
    ]


def _tile_taps(layer: EngineLayer, sources: Sequence[MapPlace], base: int, shape: EngineShape) -> list[Tap]:
    """Those of one: planes from the highest to the lowest, in each all words of the window, in each of its pixels
    those of one map after the other; as far from `base`."""
    conv = layer.conv
    taps: list[Tap] = []
    for plane in reversed(range(layer.planes)):
        window = [
            (line * conv.dilation[0] - conv.padding[0], column * conv.dilation[1] - conv.padding[1], source, word)
            for line in range(conv.kernel[0])
            for column in range(conv.kernel[1])
            for source in sources
            for word in range(source.channel_words)
        ]
        for number, (line, column, source, word) in enumerate(window):
            offset = source.offset(plane=plane, word=word, line=line, column=column)
            offset += source.base - base
            taps.append(Tap(offset, column, line, double=number == 0 and bool(taps)))
    keeps = layer.values is not None and layer.values.keeps
    least = shape.beats_of_values if keeps else shape.least_beats
    if layer.pools_values:
        least = shape.beats_of_greatest
    if len(layer.bases) > 1:
        least = max(least, len(weight_bases(conv).factors) - 1 + KEPT_DELAY)
    idle = [Tap(0, idle=True)] * max(0, least - len(taps))
    return [*idle, *taps]


def layer_weights(layer: EngineLayer, shape: EngineShape) -> tuple[NDArray[np.uint8], int]:
    """(row tiles * words of a tile, rows, simd) of bits, and the mismatches that unused columns make in each sum.
    Raises ScheduleError where a sum has no room.

    The channels of each map that is read begin a word. Unused columns of the maps are 0. Where a border is a product of
    0, and so half a word, they count half, too.
    """
    conv, array = layer.conv, shape.array
    height, width = conv.kernel
    if not layer.reads:
        return np.zeros((0, array.rows, array.simd), np.uint8), 0
    used = np.concatenate([np.arange(-(-count // array.simd) * array.simd) < count for count in layer.channels])
    words = len(used) // array.simd
    rows = array_rows(layer, shape)
    bits = np.zeros((len(rows.channels), height, width, len(used)), np.uint8)
    signs = weight_bases(conv).signs[rows.channels[rows.used], rows.bases[rows.used]]
    of_rows = np.zeros((len(signs), height, width, len(used)), np.uint8)
    of_rows[..., used] = signs > 0
    bits[rows.used] = of_rows
    unused = np.flatnonzero(~used)
    counted = 0
    if any(conv.padding) and not layer.pads_with_code:
        if len(unused) % 2:
            raise ScheduleError(
                f"node {layer.name!r} pads {conv.channels} channels with 0; the engine does so for even numbers of them"
            )
        bits[..., unused[: len(unused) // 2]] = 1
        counted = len(unused) // 2 * height * width
    if not layer.reads_windows:
        check_sums(layer, conv.cols + counted, shape)
    tiles = bits.reshape(rows.tiles, array.rows, height * width * words, array.simd).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, array.rows, array.simd), counted


def check_sums(layer: EngineLayer, columns: int, shape: EngineShape) -> None:
    """Raises ScheduleError where the mismatches of so many columns are more than a sum has room for."""
    most, width = columns * (2**layer.planes - 1), shape.array.sum_width
    if most >> width:
        raise ScheduleError(
            f"node {layer.name!r} adds up to {most} mismatches, and the engine's sums have sum_width={width} bits; "
            "give what it reads fewer bits or channels"
        )


def layer_parameters(layer: EngineLayer, unused: int, shape: EngineShape) -> NDArray[np.uint32]:
    """Of each row one more than the greatest sum that gives a 1, and above it whether pooling takes the least bit."""
    if layer.values is not None:
        return value_parameters(layer, layer.values, shape)
    assert layer.most is not None
    array = shape.array
    top = (1 << array.sum_width) - 1
    rows = array_rows(layer, shape)
    words = np.zeros(len(rows.channels), np.uint32)
    of_rows = np.clip(layer.most + unused + 1, 0, top) | layer.minimum.astype(np.int64) << array.sum_width
    words[rows.used] = of_rows[rows.channels[rows.used]]
    return words

"""How a layer is cut into parts that fit into the engine: chunks of its rows, bands of its lines, groups of frames.

Tests: tests/compiler/engine/test_scheduled.py
"""

from dataclasses import dataclass
from itertools import product

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .external_places import LayerPlace
from .layer_fields import first_line_read
from .layers import EngineLayer
from .maps import MapPlace

__all__ = ["Part", "Tiling", "lines_of", "tile_layer"]


@dataclass(frozen=True)
class Part:
    """What one instruction does of a layer: tiles of rows, output lines, a group of frames."""

    row_tiles: range
    lines: range
    group: int


@dataclass(frozen=True)
class Tiling:
    """A layer's parts in their order.

    band : MapPlace
        What lines of the input a part needs at most, as a map.
    stay : int
        Words of the banks for the inputs of all parts, where they stay there for the whole layer; else 0.
    weights_stay : int
        The same of weights.
    """

    parts: tuple[Part, ...]
    band: MapPlace
    stay: int
    weights_stay: int


def tile_layer(
    layer: EngineLayer, place: LayerPlace, shape: EngineShape, *, strips: int, frames: int, whole: bool
) -> Tiling:
    """Parts of which two fit into the weights' memory, the banks and the outbox, where that can be: the next one's data
    come while one is at work. whole: a part needs all lines.

    Raises ScheduleError, which names the layer, where a part of the least size fits nowhere.
    """
    source = MapPlace(layer.in_shape, layer.planes, strips, shape.array.simd)
    columns = layer.out_shape[1] // strips
    row_tiles = _row_tiles(layer, place, shape, columns)
    chunks = [range(at, min(at + row_tiles, place.row_tiles)) for at in range(0, place.row_tiles, row_tiles)]
    words = 0 if layer.most is None else -(-row_tiles // shape.parts) * columns
    lines = _lines(layer, shape, source, words, whole=whole)
    count = layer.out_shape[0]
    bands = [range(at, min(at + lines, count)) for at in range(0, count, lines)]
    band = MapPlace((_lines_read(layer, lines), *layer.in_shape[1:]), layer.planes, strips, shape.array.simd)
    groups = range(frames * strips // shape.array.pixels)
    inputs = band.words * len(bands) * len(groups)
    weights = place.row_tiles * place.weight_step
    inputs_stay, weights_stay = inputs <= shape.map_words, weights <= shape.weight_words
    rows_outside = inputs_stay or not (weights_stay or inputs * len(chunks) > weights * len(bands) * len(groups))
    if rows_outside:
        parts = tuple(Part(rows, lines, group) for rows, group, lines in product(chunks, groups, bands))
    else:
        parts = tuple(Part(rows, lines, group) for group, lines, rows in product(groups, bands, chunks))
    return Tiling(parts, band, inputs if inputs_stay else 0, weights if weights_stay else 0)


def _row_tiles(layer: EngineLayer, place: LayerPlace, shape: EngineShape, columns: int) -> int:
    """Of a part."""
    least = 1 if layer.most is None else shape.parts  # those whose bits make a word
    limits = [("words of weights", "weight_words", shape.weight_words, place.weight_step)]
    if layer.most is not None:
        limits += [
            ("groups of rows", "parameters", shape.parameters, shape.array.row_groups),
            ("words of a line", "outbox_words", shape.outbox_words, -(-columns // shape.parts)),
        ]
    most = place.row_tiles
    for what, name, room, each in limits:
        fits = max(room // 2 // (each * least), min(1, room // (each * least))) * least
        if not fits:
            raise ScheduleError(
                f"node {layer.name!r} needs {each * least} {what} at once, and the engine has {name}={room}; "
                "take one of more"
            )
        most = min(most, fits)
    return most


def _lines(layer: EngineLayer, shape: EngineShape, source: MapPlace, words: int, *, whole: bool) -> int:
    """Output lines of a part, each of `words` words of the outbox."""
    for share in (2, 1):
        for lines in range(layer.out_shape[0], 0, -1):
            if whole and lines < layer.out_shape[0]:
                break
            inputs = source.words // layer.in_shape[0] * _lines_read(layer, lines)
            if inputs <= shape.map_words // share and lines * words <= shape.outbox_words // share:
                bands = -(-layer.out_shape[0] // lines)
                return -(-layer.out_shape[0] // bands)
    lines = layer.in_shape[0] if whole else _lines_read(layer, 1)
    raise ScheduleError(
        f"node {layer.name!r} reads {lines} lines of {source.words // layer.in_shape[0]} words at once, and the "
        f"engine has map_words={shape.map_words}; take one of larger banks"
    )


def _lines_read(layer: EngineLayer, lines: int) -> int:
    """Input lines that so many output lines read at most."""
    conv = layer.conv
    return min(layer.in_shape[0], (lines * layer.pool[0] - 1) * conv.stride[0] + conv.extent[0])


def lines_of(layer: EngineLayer, lines: range) -> range:
    """The input lines, inside of the map, that these output lines read."""
    first = first_line_read(layer, lines.start)
    conv = layer.conv
    last = (lines.stop * layer.pool[0] - 1) * conv.stride[0] + conv.extent[0] - conv.padding[0]
    return range(first, min(layer.in_shape[0], last))

"""How a layer is cut into parts that fit into the engine: chunks of its rows, bands of its lines, groups of frames.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from dataclasses import dataclass
from itertools import product

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.layer_fields import lines_read
from bnnhw.compiler.engine.layers import EngineLayer
from bnnhw.compiler.engine.maps import MapPlace, input_places, words_of
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .places import LayerPlace

__all__ = ["Part", "Rooms", "Tiling", "map_words_of", "tile_layer"]


@dataclass(frozen=True)
class Part:
    """What one instruction does of a layer: tiles of rows, output lines, a group of frames."""

    row_tiles: range
    lines: range
    group: int


@dataclass(frozen=True)
class Tiling:
    """A layer's parts in their order.

    bands : tuple of MapPlace
        What lines of each map that is read a part needs at most, as maps one behind the other.
    stay : int
        Words of the banks for the inputs of all parts, where they stay there for the whole layer; else 0.
    weights_stay : int
        The same of weights.
    """

    parts: tuple[Part, ...]
    bands: tuple[MapPlace, ...]
    stay: int
    weights_stay: int


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What a layer's parts may fill.

    weight_words, map_words : int
        Of the memories. Two parts fit in, where that can be, so that the next one's data come while one is at work.
    all_weights : bool
        All parts' weights and thresholds fit in, beside those of other layers.
    input_stays, output_stays : bool
        The input lies in the banks already; the output goes there, and not through the outbox.
    whole : bool
        A part needs all lines of the input.
    """

    weight_words: int
    map_words: int
    all_weights: bool = False
    input_stays: bool = False
    output_stays: bool = False
    whole: bool = False


def tile_layer(
    layer: EngineLayer, place: LayerPlace, shape: EngineShape, rooms: Rooms, *, strips: int, groups: range
) -> Tiling:
    """The parts for these groups of frames. Raises ScheduleError, which names the layer, where a part fits nowhere."""
    line_words = words_of(input_places(layer, strips, shape.array.simd, lines=1))
    sends = layer.writes_bits and not rooms.output_stays
    columns = layer.map_shape[1] // strips * layer.block if sends else 0  # of the map, for a line of tiles
    row_tiles = _row_tiles(layer, place, shape, rooms, columns)
    chunks = [range(at, min(at + row_tiles, place.row_tiles)) for at in range(0, place.row_tiles, row_tiles)]
    lines = _lines(layer, shape, line_words, rooms, map_words_of(row_tiles, layer, shape) * columns)
    count = layer.out_shape[0]
    bands = [range(at, min(at + lines, count)) for at in range(0, count, lines)]
    height = layer.in_shape[0] if rooms.input_stays else lines_read(layer, lines)
    bands_read = input_places(layer, strips, shape.array.simd, lines=height)
    inputs = words_of(bands_read) * len(bands) * len(groups)
    weights = place.row_tiles * place.weight_step
    inputs_stay, weights_stay = inputs <= rooms.map_words, weights <= rooms.weight_words
    rows_outside = inputs_stay or not (weights_stay or inputs * len(chunks) > weights * len(bands) * len(groups))
    if rows_outside:
        parts = tuple(Part(rows, lines, group) for rows, group, lines in product(chunks, groups, bands))
    else:
        parts = tuple(Part(rows, lines, group) for group, lines, rows in product(groups, bands, chunks))
    return Tiling(parts, bands_read, inputs if inputs_stay else 0, weights if weights_stay else 0)


def map_words_of(row_tiles: int, layer: EngineLayer, shape: EngineShape) -> int:
    """Words of the map's channels that so many tiles of rows make."""
    return -(-row_tiles // array_rows(layer, shape).inside // layer.block**2 // shape.parts)


def _row_tiles(layer: EngineLayer, place: LayerPlace, shape: EngineShape, rooms: Rooms, columns: int) -> int:
    """Of a part, whose bits are `columns` words wide in the outbox, or go elsewhere."""
    inside = array_rows(layer, shape).inside
    least = inside * (shape.parts if layer.writes_bits else 1)  # those whose bits make a word
    if layer.block > 1:
        least = place.row_tiles
    limits: list[tuple[str, str, int, float]] = []
    if not rooms.all_weights and layer.reads:
        limits.append(("words of weights", "weight_words", rooms.weight_words, place.weight_step))
    if not (rooms.all_weights or layer.gives_sums):
        limits.append(("groups of rows", "parameters", shape.parameters, shape.array.row_groups))
    if columns:
        limits.append(
            ("words of a line", "outbox_words", shape.outbox_words, columns / shape.parts / layer.block**2 / inside)
        )
    most = place.row_tiles
    for what, name, room, each in limits:
        fits = int(max(room // 2 // (each * least), min(1, room // (each * least)))) * least
        if not fits:
            raise ScheduleError(
                f"node {layer.name!r} needs {each * least:.0f} {what} at once, and the engine has {name}={room}; "
                "take one of more"
            )
        most = min(most, fits)
    return most


def _lines(layer: EngineLayer, shape: EngineShape, line_words: int, rooms: Rooms, words: int) -> int:
    """Output lines of a part, each of `words` words of the outbox; input lines have `line_words` words."""
    count = layer.out_shape[0]
    for share in (2, 1):
        for lines in range(count, 0, -1):
            if rooms.whole and lines < count:
                break
            inputs = 0 if rooms.input_stays else line_words * lines_read(layer, lines)
            if inputs <= rooms.map_words // share and lines * words <= shape.outbox_words // share:
                return -(-count // -(-count // lines))
    lines = layer.in_shape[0] if rooms.whole else lines_read(layer, 1)
    raise ScheduleError(
        f"node {layer.name!r} reads {lines} lines of {line_words} words at once, and the "
        f"engine has map_words={shape.map_words}; take one of larger banks"
    )

"""How a layer is cut into parts that fit into the engine: chunks of its rows, bands of its lines and columns, groups of
frames.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.layer_fields import lines_read
from bnnhw.compiler.engine.layers import EngineLayer
from bnnhw.compiler.engine.maps import MapPlace, input_places, words_of
from bnnhw.compiler.engine.values.value_lanes import word_of_tile
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .places import LayerPlace

__all__ = ["Part", "Rooms", "Tiling", "map_words_of", "tile_layer", "tiles_of_values"]


@dataclass(frozen=True)
class Part:
    """What one instruction does of a layer: tiles of rows, output lines, output columns of each strip, a group of
    frames.

    band, band_columns : range
        The output lines and columns, these among them, whose inputs are loaded at once.
    """

    row_tiles: range
    lines: range
    columns: range
    group: int
    band: range
    band_columns: range


@dataclass(frozen=True)
class Tiling:
    """A layer's parts in their order.

    bands : tuple of MapPlace
        What lines and columns of each map that is read a part needs at most, as maps one behind the other.
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

    weight_words, map_words, value_words : int
        Of the memories. Two parts fit in, where that can be, so that the next one's data come while one is at work.
    all_weights : bool
        All parts' weights and thresholds fit in, beside those of other layers.
    input_stays, output_stays : bool
        The input lies in the banks already; the output goes there, and not through the outbox.
    adds_outside, sends_values : bool
        Values that are added come from the external memory; the layer's own go there.
    whole : bool
        A part needs all lines of the input.
    """

    weight_words: int
    map_words: int
    value_words: int = 0
    all_weights: bool = False
    input_stays: bool = False
    output_stays: bool = False
    adds_outside: bool = False
    sends_values: bool = False
    whole: bool = False


def tile_layer(
    layer: EngineLayer, place: LayerPlace, shape: EngineShape, rooms: Rooms, *, strips: int, groups: range
) -> Tiling:
    """The parts for these groups of frames. Raises ScheduleError, which names the layer, where a part fits nowhere."""
    cut = _Cut(layer, place, shape, rooms, strips)
    row_tiles = cut.row_tiles()
    chunks = [range(at, min(at + row_tiles, place.row_tiles)) for at in range(0, place.row_tiles, row_tiles)]
    lines, columns = cut.extent()
    lines_at_once, columns_at_once = cut.at_once(row_tiles, lines, columns)
    bands = list(product(_bands(range(layer.out_shape[0]), lines), _bands(range(cut.columns), columns)))
    bands_read = cut.places(None if rooms.input_stays else lines, columns)
    inputs = words_of(bands_read) * len(bands) * len(groups)
    weights = place.row_tiles * place.weight_step
    inputs_stay, weights_stay = inputs <= rooms.map_words, weights <= rooms.weight_words
    rows_outside = inputs_stay or not (weights_stay or inputs * len(chunks) > weights * len(bands) * len(groups))
    order = [(rows, band, group) for rows, group, band in product(chunks, groups, bands)]
    if not rows_outside:
        order = [(rows, band, group) for group, band, rows in product(groups, bands, chunks)]
    parts = tuple(
        Part(rows, some_lines, some_columns, group, *band)
        for rows, band, group in order
        for some_lines in _bands(band[0], lines_at_once)
        for some_columns in _bands(band[1], columns_at_once)
    )
    return Tiling(parts, bands_read, inputs if inputs_stay else 0, weights if weights_stay else 0)


def map_words_of(row_tiles: int, layer: EngineLayer, shape: EngineShape) -> int:
    """Words of the map's channels, of all its planes, that so many tiles of rows make."""
    return layer.bit_planes * -(-row_tiles // array_rows(layer, shape).inside // layer.block**2 // shape.parts)


def tiles_of_values(layer: EngineLayer, shape: EngineShape, row_tiles: range) -> range:
    """Which tiles of rows these are where each channel has one row."""
    inside = array_rows(layer, shape).inside
    return range(row_tiles.start // inside, row_tiles.stop // inside)


def _bands(whole: range, size: int) -> list[range]:
    """Pieces of at most so many, as alike as they can be."""
    size = -(-len(whole) // -(-len(whole) // size))
    return [range(at, min(at + size, whole.stop)) for at in range(whole.start, whole.stop, size)]


_BAND_WORDS = 32
"""Words of the banks that could be loaded in the time which a part with columns of its own takes beside that."""


@dataclass(frozen=True)
class _Cut:
    """A layer that is to be cut."""

    layer: EngineLayer
    place: LayerPlace
    shape: EngineShape
    rooms: Rooms
    strips: int

    @property
    def columns(self) -> int:
        """Output columns of a strip."""
        return self.layer.out_shape[1] // self.strips

    @property
    def _cuts_columns(self) -> bool:
        """Whether parts may have a part of the columns: of whole lines, or where each output column is made of the
        input's one there."""
        layer, conv = self.layer, self.layer.conv
        residual = None if layer.values is None else layer.values.residual
        alone = conv.extent[1] == layer.columns_apart == layer.pool.kernel[1] == 1 and conv.padding[1] == 0
        return (
            (self.strips == 1 or alone)
            and (residual is None or residual.stride[1] == 1)
            and not (self.rooms.input_stays or self.rooms.output_stays or layer.gives_sums)
        )

    @property
    def _cuts_outputs(self) -> bool:
        """Whether parts may have a part of the output columns, whatever is loaded: where all goes out, and nothing that
        stays in the engine is added."""
        values, rooms = self.layer.values, self.rooms
        stays = values is not None and (
            values.keeps > rooms.sends_values or (values.residual is not None and not rooms.adds_outside)
        )
        return not (stays or rooms.output_stays or self.layer.gives_sums or rooms.all_weights)

    def places(self, lines: int | None, columns: int) -> tuple[MapPlace, ...]:
        """The maps that so many output lines, None for all, and columns read."""
        height = self.layer.in_shape[0] if lines is None else lines_read(self.layer, lines)
        part = lines_read(self.layer, columns, 1) if self._cuts_columns else None
        return input_places(self.layer, self.strips, self.shape.array.simd, lines=height, columns=part)

    def row_tiles(self) -> int:
        """Tiles of rows of a part: whose results of a line have room, or where a part may have fewer, of a column."""
        try:
            return self._row_tiles(self.columns)
        except ScheduleError:
            if not self._cuts_outputs:
                raise
        return self._row_tiles(1)

    def _row_tiles(self, columns: int) -> int:
        layer, shape, rooms = self.layer, self.shape, self.rooms
        inside = array_rows(layer, shape).inside
        least = inside * (shape.parts if layer.writes_bits else 1)  # those whose bits make a word
        if layer.block > 1 or layer.bit_planes > 1:
            least = self.place.row_tiles
        bits, values = (
            columns * layer.block**2 * map_words_of(least, layer, shape) / least,
            columns * self._value_words(inside) / inside,
        )
        added = columns * self._added_words(least) / least
        limits: list[tuple[str, str, int, float]] = []
        if not rooms.all_weights and layer.reads:
            limits.append(("words of weights", "weight_words", rooms.weight_words, self.place.weight_step))
        if not (rooms.all_weights or layer.gives_sums):
            limits.append(("groups of rows", "parameters", shape.parameters, self.place.groups))
        if self._sends_bits:
            limits.append(("words of a line", "outbox_words", shape.outbox_words, bits))
        if rooms.sends_values:
            limits.append(("values' words of a line", "outbox_words", shape.outbox_words, values))
        if rooms.adds_outside:
            limits.append(("values' words of a line", "values", rooms.value_words, added))
        if rooms.sends_values and layer.pools_values:
            limits.append(("words of a window's values", "values", rooms.value_words, values / columns))
        most = self.place.row_tiles
        for what, name, room, each in limits:
            fits = int(max(room // 2 // (each * least), min(1, room // (each * least)))) * least
            if not fits:
                raise ScheduleError(
                    f"node {layer.name!r} needs {each * least:.0f} {what} at once, and the engine has {name}={room}; "
                    "take one of more"
                )
            most = min(most, fits)
        return most

    def extent(self) -> tuple[int, int]:
        """Output lines and columns whose inputs are loaded at once: those of which least is loaded twice."""
        count = self.layer.out_shape[0]
        for share in (2, 1):
            room = self.rooms.map_words // share
            found = [(lines, columns) for columns in self._columns() if (lines := self._lines(columns, room)) > 0]
            if found:
                lines, columns = min(found, key=lambda each: self._load(*each))
                return -(-count // -(-count // lines)), columns
        lines = self.layer.in_shape[0] if self.rooms.whole else lines_read(self.layer, 1)
        line_words = words_of(self.places(1, self.columns)) // lines_read(self.layer, 1)
        raise ScheduleError(
            f"node {self.layer.name!r} reads {lines} lines of {line_words} words at once, and the "
            f"engine has map_words={self.rooms.map_words}; take one of larger banks"
        )

    def at_once(self, row_tiles: int, lines: int, columns: int) -> tuple[int, int]:
        """Of so many output lines and columns those of a part: whose results have room."""
        rooms, outbox_words = self.rooms, self.shape.outbox_words
        for share in (2, 1):
            most = lines * columns
            for is_used, each, room in (
                (self._sends_bits, self.layer.block**2 * map_words_of(row_tiles, self.layer, self.shape), outbox_words),
                (rooms.sends_values, self._value_words(row_tiles), outbox_words),
                (rooms.adds_outside, self._added_words(row_tiles), rooms.value_words),
            ):
                most = min(most, room // share // each) if is_used else most
            if most >= columns:
                return most // columns, columns
            if most and self._cuts_outputs:
                return 1, most
        raise AssertionError("what row_tiles() leaves has room")

    def _columns(self) -> Iterator[int]:
        """How many a part may have, the most first."""
        last = 0
        for count in range(1, self.columns + 1 if self._cuts_columns else 2):
            columns = -(-self.columns // count)
            if columns != last:
                yield columns
            last = columns

    def _lines(self, columns: int, room: int) -> int:
        """The most output lines whose inputs fit into so many words; 0 where not even the least do."""
        count = self.layer.out_shape[0]
        if self.rooms.input_stays:
            return count
        if self.rooms.whole:
            return count if words_of(self.places(count, columns)) <= room else 0
        every = range(1, count + 1)
        return bisect_left(every, True, key=lambda lines: words_of(self.places(lines, columns)) > room)

    def _value_words(self, row_tiles: int) -> int:
        """Of a pixel, of so many tiles of rows."""
        channels = -(-self.layer.out_shape[2] // self.shape.array.group_rows)
        return min(word_of_tile(self.layer, self.shape, row_tiles), channels)

    def _added_words(self, row_tiles: int) -> int:
        """Of the residuals that come for an output pixel, in whole sheets: one more where they do not begin as a tile
        does."""
        residual = None if self.layer.values is None else self.layer.values.residual
        if residual is None:
            return 0
        misses = self.shape.array.row_groups if residual.first % self.shape.array.rows else 0
        return residual.stride[1] * (word_of_tile(self.layer, self.shape, row_tiles) + misses)

    @property
    def _sends_bits(self) -> bool:
        return self.layer.writes_bits and not self.rooms.output_stays

    def _load(self, lines: int, columns: int) -> int:
        """Words of the banks that all parts load, and could load in the time that they take beside it."""
        parts = -(-self.layer.out_shape[0] // lines) * -(-self.columns // columns)
        beside = 0 if columns == self.columns else _BAND_WORDS + 2 * lines
        return parts * ((0 if self.rooms.input_stays else words_of(self.places(lines, columns))) + beside)

"""Where maps lie in the engine's banks.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine.engine_shape import WINDOW_CHANNELS, WINDOW_COLUMNS, WINDOW_PLANES, WORD, EngineShape
from bnnhw.hw.engine.program.packets import Memory

from .layers import EngineLayer, EngineNetwork
from .lifetimes import Lifetime, place_lifetimes

__all__ = ["MapPlace", "PixelPlace", "WindowPlace", "input_places", "lives_of", "map_places", "place_maps", "words_of"]


@dataclass(frozen=True)
class MapPlace:
    """A map of `planes` bit planes: plane by plane, word by word of its channels, line by line, column by column.

    A frame's columns are cut into `strips` strips, one a pixel of the array.
    """

    shape: tuple[int, int, int]
    planes: int
    strips: int
    simd: int
    base: int = 0

    @property
    def columns(self) -> int:
        """Of a strip."""
        return self.shape[1] // self.strips

    @property
    def column_words(self) -> int:
        """From a column's word to the next one's."""
        return 1

    @property
    def line_words(self) -> int:
        """From a line's word to the next one's."""
        return self.columns

    @property
    def sheets(self) -> int:
        """Parts of which each has all lines one behind the other on the bus."""
        return self.planes * self.channel_words

    @property
    def bus_columns(self) -> int:
        """Words of a pixel of the array for each line of a sheet on the bus, on which pixels take turns."""
        return self.columns

    @property
    def memory(self) -> Memory:
        """The one that takes the words of the bus."""
        return Memory.MAPS

    def bus_address(self, begin: int, lanes: int) -> int:
        """On the bus, of the word at `begin` of the banks, each of whose words are `lanes` of the bus."""
        return begin * lanes

    @property
    def plane_words(self) -> int:
        """From one word of channels to the next."""
        return self.shape[0] * self.columns

    @property
    def channel_words(self) -> int:
        """Words of a plane's channels."""
        return -(-self.shape[2] // self.simd)

    @property
    def words(self) -> int:
        """In each bank."""
        return self.planes * self.channel_words * self.plane_words

    def offset(self, *, plane: int = 0, word: int = 0, line: int = 0, column: int = 0) -> int:
        """From the base to a word."""
        return (plane * self.channel_words + word) * self.plane_words + line * self.columns + column

    def packed(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Codes (frames, lines, columns, channels) as bits (frames * strips, words, simd): what each pixel gets."""
        frames, lines, _, channels = codes.shape
        padded = np.zeros((*codes.shape[:3], self.channel_words * self.simd), np.int64)
        padded[..., :channels] = codes
        split = padded.reshape(frames, lines, self.strips, self.columns, self.channel_words, self.simd)
        planes = np.stack([split >> plane & 1 for plane in range(self.planes)], axis=1)
        # (frames, planes, lines, strips, columns, words, simd)
        return (
            planes.transpose(0, 3, 1, 5, 2, 4, 6).reshape(frames * self.strips, self.words, self.simd).astype(np.uint8)
        )


@dataclass(frozen=True)
class PixelPlace(MapPlace):
    """The same outside of the banks, pixel by pixel: a part of the columns lies in one piece for each line."""

    @property
    def sheets(self) -> int:
        """Parts of which each has all lines one behind the other."""
        return 1

    @property
    def bus_columns(self) -> int:
        """Words of a pixel of the array for each line."""
        return self.columns * self.planes * self.channel_words

    def packed(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Codes (frames, lines, columns, channels) as bits (frames * strips, words, simd)."""
        sheets = super().packed(codes).reshape(len(codes) * self.strips, -1, self.plane_words, self.simd)
        return np.ascontiguousarray(sheets.swapaxes(1, 2)).reshape(len(sheets), self.words, self.simd)


@dataclass(frozen=True)
class WindowPlace(MapPlace):
    """A map of windows of columns, which the engine makes of pixels of a few channels: see `WindowLane`.

    Sheet by sheet, each of WINDOW_PLANES planes. In it each pixel has a word for each plane, and each strip
    WINDOW_COLUMNS - 1 pixels more than columns, the first ones, whose words are no whole windows.
    """

    @property
    def column_words(self) -> int:
        """From a column's word to the next one's."""
        return WINDOW_PLANES

    @property
    def line_words(self) -> int:
        """From a line's word to the next one's."""
        return self.bus_columns * WINDOW_PLANES

    @property
    def sheets(self) -> int:
        """Parts of which each has all lines one behind the other on the bus."""
        return -(-self.planes // WINDOW_PLANES)

    @property
    def bus_columns(self) -> int:
        """Pixels of a strip's line."""
        return self.columns + WINDOW_COLUMNS - 1

    @property
    def memory(self) -> Memory:
        """The one that takes the words of the bus."""
        return Memory.WINDOWS

    def bus_address(self, begin: int, lanes: int) -> int:
        """On the bus, of the word at `begin` of the banks, each of whose words are `lanes` of the bus."""
        return begin // WINDOW_PLANES * lanes

    @property
    def plane_words(self) -> int:
        """From one sheet to the next."""
        return self.shape[0] * self.line_words

    @property
    def words(self) -> int:
        """In each bank."""
        return self.sheets * self.plane_words

    def offset(self, *, plane: int = 0, word: int = 0, line: int = 0, column: int = 0) -> int:
        """From the base to a word."""
        sheet, plane = divmod(plane, WINDOW_PLANES)
        whole = column + WINDOW_COLUMNS - 1
        return sheet * self.plane_words + line * self.line_words + whole * WINDOW_PLANES + plane

    def packed(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Codes (frames, lines, columns + WINDOW_COLUMNS - 1, channels) as bits (frames * strips, pixels, WORD)."""
        frames, _, _, channels = codes.shape
        begins = self.columns * np.arange(self.strips)[:, None] + np.arange(self.bus_columns)
        split = codes[:, :, begins].transpose(0, 2, 1, 3, 4)  # (frames, strips, lines, pixels, channels)
        sheets = range(0, self.sheets * WINDOW_PLANES, WINDOW_PLANES)
        bits = np.zeros((frames, self.strips, len(sheets), *split.shape[2:4], WINDOW_PLANES, WINDOW_CHANNELS), np.uint8)
        for number, first in enumerate(sheets):
            for plane in range(WINDOW_PLANES):
                bits[:, :, number, ..., plane, :channels] = split >> first + plane & 1
        return bits.reshape(frames * self.strips, -1, WORD)


def map_places(network: EngineNetwork, strips: int | Mapping[str, int], simd: int) -> dict[str, MapPlace]:
    """All maps, in the order in which they are written, in so many strips, all or each, at the begin of the banks."""
    if isinstance(strips, int):
        strips = dict.fromkeys((network.input, *(layer.writes for layer in network.layers)), strips)
    first = network.layers[0]
    kind = WindowPlace if first.reads_windows else MapPlace
    places = {network.input: kind(network.input_shape, first.planes, strips[network.input], simd)}
    for layer in (each for each in network.layers if each.writes_bits):
        places[layer.writes] = MapPlace(layer.map_shape, layer.bit_planes, strips[layer.writes], simd)
    return places


def input_places(
    layer: EngineLayer, strips: int, simd: int, *, lines: int | None = None, columns: int | None = None
) -> tuple[MapPlace, ...]:
    """The maps that a layer reads, or so many lines of them and columns of each strip, one behind the other from the
    begin of the banks on."""
    height, width, _ = layer.in_shape
    kind = WindowPlace if layer.reads_windows else MapPlace
    places: list[MapPlace] = []
    base = 0
    for channels in layer.channels * len(layer.bases):
        size = (height if lines is None else lines, width if columns is None else columns * strips, channels)
        places.append(kind(size, layer.planes, strips, simd, base))
        base += places[-1].words
    return tuple(places)


def words_of(places: Iterable[MapPlace]) -> int:
    """In each bank, of all of them."""
    return sum(place.words for place in places)


def lives_of(network: EngineNetwork, places: Mapping[str, MapPlace]) -> list[Lifetime]:
    """How long each map is needed, by the numbers of the layers: from the one that writes it to the last reader."""
    first = {layer.writes: number for number, layer in enumerate(network.layers)}
    return [
        Lifetime(
            name,
            place.words,
            first.get(name, 0),  # the input is there from the begin
            max(network.readers(name), default=first.get(name, 0)),
            place.column_words,
        )
        for name, place in places.items()
    ]


def place_maps(network: EngineNetwork, shape: EngineShape, strips: int) -> dict[str, MapPlace]:
    """All maps in the banks, each there from the layer that writes it to the last one that reads it.

    Raises ScheduleError where they do not fit.
    """
    places = map_places(network, strips, shape.array.simd)
    begins = place_lifetimes(
        lives_of(network, places),
        shape.map_words,
        what="maps",
        name="map_words",
        way_out="take an engine of larger banks, or external memory",
    )
    return {name: replace(place, base=base) for (name, place), base in zip(places.items(), begins, strict=True)}

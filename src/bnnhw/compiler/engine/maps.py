"""Where maps lie in the engine's banks.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WINDOW_CHANNELS, WINDOW_COLUMNS, WINDOW_PLANES, WORD, EngineShape
from bnnhw.hw.engine.program.packets import Memory

from .layers import EngineLayer

__all__ = ["MapPlace", "WindowPlace", "input_place", "place_maps"]


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
class WindowPlace(MapPlace):
    """A map of windows of columns, which the engine makes of pixels of a few channels: see `WindowLane`.

    Each pixel has WINDOW_PLANES words, plane by plane, and each strip WINDOW_COLUMNS - 1 pixels more than columns, the
    first ones, whose words are no whole windows.
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
        return 1

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
    def words(self) -> int:
        """In each bank."""
        return self.shape[0] * self.line_words

    def offset(self, *, plane: int = 0, word: int = 0, line: int = 0, column: int = 0) -> int:
        """From the base to a word."""
        return line * self.line_words + (column + WINDOW_COLUMNS - 1) * WINDOW_PLANES + plane

    def packed(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Codes (frames, lines, columns + WINDOW_COLUMNS - 1, channels) as bits (frames * strips, pixels, WORD)."""
        frames, lines, _, channels = codes.shape
        begins = self.columns * np.arange(self.strips)[:, None] + np.arange(self.bus_columns)
        split = codes[:, :, begins].transpose(0, 2, 1, 3, 4)  # (frames, strips, lines, pixels, channels)
        bits = np.zeros((*split.shape[:4], WINDOW_PLANES, WINDOW_CHANNELS), np.uint8)
        for plane in range(WINDOW_PLANES):
            bits[..., plane, :channels] = split >> plane & 1
        return bits.reshape(frames * self.strips, lines * self.bus_columns, WORD)


def input_place(layer: EngineLayer, strips: int, simd: int, *, lines: int | None = None) -> MapPlace:
    """A layer's input, or so many lines of it, at the begin of the banks."""
    height, columns, channels = layer.in_shape
    kind = WindowPlace if layer.reads_windows else MapPlace
    return kind((height if lines is None else lines, columns, channels), layer.planes, strips, simd)


def place_maps(shape: EngineShape, maps: list[MapPlace]) -> list[int]:
    """Bases of maps of which each lives with the one before it: the first ones low, the second ones high, in turn.

    Raises ScheduleError where two neighbours do not fit into the banks.
    """
    for before, after in pairwise(maps):
        if before.words + after.words > shape.map_words:
            raise ScheduleError(
                f"maps of {before.shape} and {after.shape} take {before.words} and {after.words} words of each bank, "
                f"and the engine has {shape.map_words}; take an engine of larger banks, or external memory"
            )
    return [0 if number % 2 == 0 else shape.map_words - place.words for number, place in enumerate(maps)]

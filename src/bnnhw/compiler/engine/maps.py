"""Where maps lie in the engine's banks.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

__all__ = ["MapPlace", "place_maps"]


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
        """Codes (frames, lines, columns, channels) as bits (frames * strips, words, simd): a bank's contents each."""
        frames, lines, _, channels = codes.shape
        padded = np.zeros((*codes.shape[:3], self.channel_words * self.simd), np.int64)
        padded[..., :channels] = codes
        split = padded.reshape(frames, lines, self.strips, self.columns, self.channel_words, self.simd)
        planes = np.stack([split >> plane & 1 for plane in range(self.planes)], axis=1)
        # (frames, planes, lines, strips, columns, words, simd)
        return (
            planes.transpose(0, 3, 1, 5, 2, 4, 6).reshape(frames * self.strips, self.words, self.simd).astype(np.uint8)
        )


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

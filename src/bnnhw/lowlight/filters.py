"""The colour filters over sensors, and how the numbers under them are packed.

Bayer's, of 2x2 pixels, and X-Trans', of 6x6 (Fujifilm), as they begin here::

    R  G  R  G ..        R B G  B R G ..
    G  B  G  B ..        G G R  G G B
                         G G B  G G R

                         B R G  R B G
                         G G B  G G R
                         G G R  G G B
                         ..

Each block of 2x2 or 3x3 pixels becomes a packed pixel with a channel for each. X-Trans has two kinds of blocks, which
lie like the fields of a chessboard; one is the other with red and blue exchanged, so their channels lie differently.
The orders of channels are those of "Learning to See in the Dark" (arXiv:1805.01934) and its authors' code.

Tests: tests/lowlight/test_mosaic.py
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["BAYER", "FILTERS", "XTRANS", "ColourFilter"]

Place = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ColourFilter:
    """A filter that repeats after some pixels.

    Attributes
    ----------
    name, title : str
        For programs, and for people.
    rows : tuple of str
        The colours, R, G and B.
    block : int
        Pixels along each side that become one.
    places : tuples of (row, column)
        Of each kind of block where its channels lie. Block (y, x) is of the kind (y + x) modulo how many there are.
    mirror : (row, column)
        Mirrored at them, y to row - y and x to column - x, the filter is itself.
    """

    name: str
    title: str
    rows: tuple[str, ...]
    block: int
    places: tuple[tuple[Place, ...], ...]
    mirror: Place = (0, 0)

    @property
    def period(self) -> int:
        """Pixels after which it repeats, in both directions."""
        return len(self.rows)

    @property
    def channels(self) -> int:
        """Of a packed pixel."""
        return self.block**2

    @property
    def colours(self) -> NDArray[np.int64]:
        """(period, period): 0 is red, 1 green, 2 blue."""
        return np.array([["RGB".index(colour) for colour in row] for row in self.rows])

    def phase_of(self, pattern: NDArray) -> Place | None:
        """The rows and columns to be put before `pattern`, so few as can be, for it to begin as the filter does; None
        where it is another filter."""
        height, width = np.lcm(pattern.shape, self.period)
        rows, columns = np.indices((height, width))
        seen = pattern[rows % pattern.shape[0], columns % pattern.shape[1]]
        for top, left in sorted(product(range(self.period), repeat=2), key=sum):
            expected = self.colours[(rows + top) % self.period, (columns + left) % self.period]
            if np.array_equal(seen, expected):
                return top, left
        return None


BAYER = ColourFilter(
    name="bayer", title="Bayer", rows=("RG", "GB"), block=2, places=(((0, 0), (0, 1), (1, 1), (1, 0)),)
)
_GREENS = ((1, 0), (1, 1), (2, 0), (2, 1))
XTRANS = ColourFilter(
    name="xtrans",
    title="X-Trans",
    rows=("RBGBRG", "GGRGGB", "GGBGGR", "BRGRBG", "GGBGGR", "GGRGGB"),
    block=3,
    places=(
        ((0, 0), (0, 2), (0, 1), (1, 2), (2, 2), *_GREENS),
        ((0, 1), (0, 2), (0, 0), (2, 2), (1, 2), *_GREENS),
    ),
    mirror=(0, 4),
)
FILTERS: Mapping[str, ColourFilter] = {each.name: each for each in (BAYER, XTRANS)}

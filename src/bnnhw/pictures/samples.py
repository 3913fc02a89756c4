"""A picture as its file holds it, and what is seen of it: alpha over white, inks as light, grey and colour.

Tests: tests/pictures/test_modes.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Samples", "turn"]

_RED, _GREEN, _BLUE = 19595, 38470, 7471
"""0.299, 0.587 and 0.114 in 65536ths: ITU-R BT.601, as Pillow's convert("L") has it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """The numbers in a file, upright or not.

    Attributes
    ----------
    colours : unsigned (H, W, 1), (H, W, 3) or (H, W, 4)
        Grey, RGB or CMYK, from 0 to `white`.
    alpha : unsigned (H, W) or None
        From 0, nothing to be seen, to `white`.
    premultiplied : bool
        Whether the colours are multiplied by alpha / white.
    white : int
        255, 4095 or 65535.
    """

    colours: NDArray[np.unsignedinteger]
    alpha: NDArray[np.unsignedinteger] | None = None
    premultiplied: bool = False
    white: int

    @property
    def is_opaque(self) -> bool:
        return self.alpha is None or bool((self.alpha == self.white).all())

    @property
    def is_inks(self) -> bool:
        return self.colours.shape[2] == 4

    def seen(self, channels: int) -> NDArray[np.unsignedinteger]:
        """(H, W, channels): grey for 1, RGB for 3, each division rounded to the nearest integer.

        Alpha a lies over white: (c * a + white * (white - a)) / white. An ink's light is
        (white - ink) * (white - black) / white. Grey is 0.299 R + 0.587 G + 0.114 B; grey as RGB is three times itself.
        """
        colours = self.colours if self.is_opaque else self._over_white()
        if self.is_inks:
            light = self._wide(self.white - colours)
            colours = self._divided(light[..., :3] * light[..., 3:])
        if colours.shape[2] == channels:
            return colours
        if channels == 3:
            return np.repeat(colours, 3, axis=2)
        red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
        luma = (_RED * red + _GREEN * green + _BLUE * blue + 0x8000) >> 16  # at 16 bits just below 2^32
        return luma[..., None].astype(colours.dtype)

    def _over_white(self) -> NDArray[np.unsignedinteger]:
        assert self.alpha is not None
        alpha, colours = self._wide(self.alpha[..., None]), self._wide(self.colours)
        if self.premultiplied:
            return np.minimum(colours + (self.white - alpha), self.white).astype(self.colours.dtype)
        return self._divided(colours * alpha + self.white * (self.white - alpha))

    def _wide(self, values: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        """With room for the sum of two products."""
        return values.astype(np.uint32 if self.white == 255 else np.uint64)

    def _divided(self, products: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        return ((products + self.white // 2) // self.white).astype(self.colours.dtype)


def turn(picture: NDArray[np.unsignedinteger], orientation: int) -> NDArray[np.unsignedinteger]:
    """(H, W, C) as it is to be seen, by EXIF's orientation (tag 274): the first row and column of the file are

    1 top, left; 2 top, right; 3 bottom, right; 4 bottom, left; 5 left, top; 6 right, top; 7 right, bottom;
    8 left, bottom of what is seen. Other numbers mean nothing and turn nothing.
    """
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture

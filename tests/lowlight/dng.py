"""Raw photos made up for tests: DNG files (Adobe's specification 1.4) with whatever sensor a test wants."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

__all__ = ["write_dng"]

_SHORT, _LONG, _RATIONAL, _SRATIONAL, _BYTE, _ASCII = 3, 4, 5, 10, 1, 2
_CFA_COLOURS = {"R": 0, "G": 1, "B": 2}
_XYZ_TO_CAMERA = (0.7171, -0.1986, -0.0648, -0.8085, 1.5555, 0.2718, -0.2170, 0.2512, 0.7457)


def write_dng(
    path: Path,
    mosaic: NDArray[np.uint16],
    *,
    pattern: str = "RGGB",
    black: Sequence[int] = (0, 0, 0, 0),
    white: int = 16383,
    neutral: Sequence[float] = (0.5, 1.0, 0.625),
    orientation: int = 1,
    active: tuple[int, int, int, int] | None = None,
    scale: tuple[float, float] = (1.0, 1.0),
) -> None:
    """Writes `mosaic` (H, W) as a DNG.

    Parameters
    ----------
    pattern : str
        The colours of the filter row by row, square: RGGB, or 36 letters for an X-Trans sensor.
    black : four ints
        The black level of each position of a 2x2 block, row by row.
    neutral : three floats
        What the camera sees of a grey: the inverse of its white balance.
    orientation : int
        TIFF's: 1 as it is, 3 upside down, 6 to be turned clockwise, 8 counter-clockwise.
    active : (top, left, bottom, right), optional
        The sensor less its masked border; the pattern begins at its corner.
    scale : (horizontal, vertical)
        Of the pixels, which need not be square.
    """
    size = round(len(pattern) ** 0.5)
    tags: list[tuple[int, int, int, object, bool]] = [
        (274, _SHORT, 1, orientation, True),
        (33421, _SHORT, 2, (size, size), True),  # CFARepeatPatternDim
        (33422, _BYTE, size * size, bytes(_CFA_COLOURS[letter] for letter in pattern), True),  # CFAPattern
        (50706, _BYTE, 4, bytes((1, 4, 0, 0)), True),  # DNGVersion
        (50708, _ASCII, 0, "Made up", True),  # UniqueCameraModel
        (50713, _SHORT, 2, (2, 2), True),  # BlackLevelRepeatDim
        (50714, _LONG, 4, tuple(black), True),
        (50717, _LONG, 1, white, True),
        (50718, _RATIONAL, 2, rationals(scale), True),  # DefaultScale
        (50721, _SRATIONAL, 9, rationals(_XYZ_TO_CAMERA), True),  # ColorMatrix1
        (50728, _RATIONAL, 3, rationals(neutral), True),  # AsShotNeutral
        (50778, _SHORT, 1, 21, True),  # CalibrationIlluminant1: D65
    ]
    if active is not None:
        tags.append((50829, _LONG, 4, active, True))
    tifffile.imwrite(path, mosaic, photometric="cfa", subfiletype=0, metadata=None, extratags=tags)


def rationals(values: Sequence[float]) -> tuple[int, ...]:
    """The values as numerators and denominators, one after the other."""
    return tuple(number for value in values for number in (round(value * 10_000), 10_000))

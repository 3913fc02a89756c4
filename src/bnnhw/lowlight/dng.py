"""What a DNG says of its sensor's numbers (Adobe's DNG specification 1.7.1, chapters 4 and 5).

LibRaw decodes the numbers. Their meaning is read here, because rawpy passes on four black levels where a DNG may have
one for each pixel of a pattern, each row and each column; because LibRaw scales floats by their peak; and because it
calls the first three colours of any filter red, green and blue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dng_file import DngFile, Tag, open_dng
from .dng_floats import read_floats

__all__ = ["Dng", "Levels", "colour_names", "dng_size", "read_dng"]

_COLOURS = ("red", "green", "blue", "cyan", "magenta", "yellow", "white")
_BLACK_TAGS = (Tag.BlackLevelRepeatDim, Tag.BlackLevel, Tag.BlackLevelDeltaH, Tag.BlackLevelDeltaV)
_UNSIGNED, _FLOAT = 1, 3
_BAYER_CAMERA = "give a photo of a camera with a Bayer sensor"


@dataclass(frozen=True, eq=False, kw_only=True)
class Levels:
    """What a sensor's numbers mean: 0 at `black`, 1 at `black` + `span`.

    Attributes
    ----------
    black, span : (H, W) float32, or what can be broadcast to it
    white : float
        The number of a pixel that is saturated.
    """

    black: NDArray[np.float32]
    span: NDArray[np.float32]
    white: float

    def apply(self, values: NDArray) -> NDArray[np.float32]:
        """(values - black) / span."""
        return ((values - self.black) / self.span).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Dng:
    """The tags of a DNG's mosaic.

    Attributes
    ----------
    origin : (row, column)
        Of the active area's corner, where all patterns, rows and columns begin.
    pattern : (rows, columns)
        The colours of the filter: 0 red, 1 green, 2 blue.
    planes : three ints
        The colours in the order of LibRaw's numbers, and of the file's matrices and white balance.
    black : (rows, columns) float32, or None
        The pattern of black levels; None if the file leaves it to the masked pixels.
    of_rows, of_columns : (active height,), (active width,) float32
        What is to be added to it.
    white : float
    samples : (height, width) float32, or None
        All numbers of the sensor, its masked border included, where they are floats.
    """

    origin: tuple[int, int]
    pattern: NDArray[np.uint8]
    planes: tuple[int, ...]
    black: NDArray[np.float32] | None
    of_rows: NDArray[np.float32]
    of_columns: NDArray[np.float32]
    white: float
    samples: NDArray[np.float32] | None

    def colours(self, rows: range, columns: range) -> NDArray[np.uint8]:
        """The filter's colours at those rows and columns of the sensor."""
        return self._tiled(self.pattern, rows, columns)

    def levels(self, rows: range, columns: range) -> Levels | None:
        """The levels there; None if `black` is.

        Black is the pattern + the row's + the column's. The span is white - the greatest black that can be at the same
        place of the pattern: each place is a plane of its own, so that all of them reach 1 at white.
        """
        if self.black is None:
            return None
        pattern = self._tiled(self.black, rows, columns)
        row, column = np.asarray(rows) - self.origin[0], np.asarray(columns) - self.origin[1]
        added = self.of_rows[row][:, None] + self.of_columns[column]
        span = np.float32(self.white) - pattern - (self.of_rows.max() + self.of_columns.max())
        return Levels(black=pattern + added, span=span, white=self.white)

    def _tiled(self, pattern: NDArray, rows: range, columns: range) -> NDArray:
        row, column = np.asarray(rows) - self.origin[0], np.asarray(columns) - self.origin[1]
        return pattern[np.ix_(row % pattern.shape[0], column % pattern.shape[1])]


def read_dng(path: Path) -> Dng | None:
    """What the file's tags say; None if it is no DNG of a mosaic.

    Raises OSError if it cannot be read and ValueError, which names the tag and the way out, where they contradict each
    other or say what is not understood here: other colours, other layouts, other numbers than unsigned ones and floats.
    """
    with open_dng(path) as file:
        if file is None:
            return None
        if (samples := file.numbers(Tag.SamplesPerPixel, (1,))) != [1]:
            raise file.refusal(Tag.SamplesPerPixel, f"is {samples[0]:g}, a mosaic of one is needed", _BAYER_CAMERA)
        if (layout := file.numbers(Tag.CFALayout, (1,))) != [1]:
            raise file.refusal(Tag.CFALayout, f"is {layout[0]:g}, a turned sensor; 1 is needed", _BAYER_CAMERA)
        number = file.numbers(Tag.SampleFormat, (_UNSIGNED,))
        if number not in ([_UNSIGNED], [_FLOAT]):
            raise file.refusal(Tag.SampleFormat, f"is {number[0]:g}; 1, unsigned, or 3, floats, are needed")
        is_float = number == [_FLOAT]
        _check_strips(file)
        top, left, bottom, right = _active(file)
        black, of_rows, of_columns = _black(file, bottom - top, right - left)
        bits = file.integer(Tag.BitsPerSample, 1, most=32)
        white = file.numbers(Tag.WhiteLevel, (1.0 if is_float else 2.0**bits - 1,), of=file.holder(Tag.WhiteLevel))
        if len(set(white)) > 1:
            raise file.refusal(Tag.WhiteLevel, f"has {len(white)} values, one is needed")
        if is_float and black is None:
            raise file.refusal(Tag.MaskedAreas, f"is to be measured where floats have no {Tag.BlackLevel}")
        return Dng(
            origin=(top, left),
            pattern=_pattern(file),
            planes=_planes(file),
            black=black,
            of_rows=of_rows,
            of_columns=of_columns,
            white=white[0],
            samples=read_floats(file) if is_float else None,
        )


def dng_size(path: Path) -> tuple[int, int] | None:
    """Height and width of a DNG's mosaic, without its masked border; None and errors as `read_dng`."""
    with open_dng(path) as file:
        if file is None:
            return None
        top, left, bottom, right = _active(file)
        return bottom - top, right - left


def _active(file: DngFile) -> tuple[int, int, int, int]:
    """Top, left, bottom, right."""
    height, width = file.integer(Tag.ImageLength, 0), file.integer(Tag.ImageWidth, 0)
    area = file.numbers(Tag.ActiveArea, (0, 0, height, width))
    if len(area) != 4 or not (0 <= area[0] < area[2] <= height and 0 <= area[1] < area[3] <= width):
        raise file.refusal(Tag.ActiveArea, f"is {_listed(area)}, which is no part of {height}x{width} pixels")
    top, left, bottom, right = map(int, area)
    return top, left, bottom, right


def _check_strips(file: DngFile) -> None:
    """LibRaw reads uncompressed strips as if they were one."""
    offsets = np.array(file.numbers(Tag.StripOffsets, (0,)))
    counts = np.array(file.numbers(Tag.StripByteCounts, (0,) * len(offsets)))
    if file.integer(Tag.Compression, 1) == 1 and not np.array_equal(
        offsets[:-1] + counts[: len(offsets) - 1], offsets[1:]
    ):
        raise file.refusal(
            Tag.StripOffsets, "tells of strips that do not lie one behind the other, as LibRaw reads them"
        )


def _black(file: DngFile, height: int, width: int) -> tuple[NDArray[np.float32] | None, NDArray, NDArray]:
    """The pattern, and what is added to it in each row and each column."""
    holder = file.holder(*_BLACK_TAGS)
    added = []
    for tag, length, lines in ((Tag.BlackLevelDeltaV, height, "rows"), (Tag.BlackLevelDeltaH, width, "columns")):
        numbers = file.numbers(tag, (0,) * length, of=holder)
        if len(numbers) != length:
            raise file.refusal(tag, f"has {len(numbers)} values for {length} {lines} of the active area")
        added.append(np.array(numbers, np.float32))
    if Tag.MaskedAreas in file.image.tags and not any(tag in holder.tags for tag in _BLACK_TAGS):
        return None, added[0], added[1]
    dim = file.numbers(Tag.BlackLevelRepeatDim, (1, 1), of=holder)
    levels = file.numbers(Tag.BlackLevel, (0,), of=holder)
    if len(set(levels)) == 1:  # however many there should be
        dim, levels = [1, 1], levels[:1]
    if len(dim) != 2 or len(levels) != dim[0] * dim[1]:
        raise file.refusal(
            Tag.BlackLevel, f"has {len(levels)} values where {Tag.BlackLevelRepeatDim} is {_listed(dim)}"
        )
    return np.array(levels, np.float32).reshape(int(dim[0]), int(dim[1])), added[0], added[1]


def _pattern(file: DngFile) -> NDArray[np.uint8]:
    holder = file.holder(Tag.CFAPattern)
    dim = file.numbers(Tag.CFARepeatPatternDim, (2, 2), of=holder)
    colours = file.numbers(Tag.CFAPattern, (), of=holder)
    if len(dim) != 2 or len(colours) != dim[0] * dim[1]:
        raise file.refusal(
            Tag.CFAPattern, f"has {len(colours)} values where {Tag.CFARepeatPatternDim} is {_listed(dim)}"
        )
    _check_colours(file, Tag.CFAPattern, colours)
    return np.array(colours, np.uint8).reshape(int(dim[0]), int(dim[1]))


def _planes(file: DngFile) -> tuple[int, ...]:
    planes = file.numbers(Tag.CFAPlaneColor, (0, 1, 2), of=file.holder(Tag.CFAPlaneColor))
    _check_colours(file, Tag.CFAPlaneColor, planes)
    if sorted(planes) != [0, 1, 2]:
        raise file.refusal(
            Tag.CFAPlaneColor, f"is {colour_names(planes)}; red, green and blue are needed", _BAYER_CAMERA
        )
    return tuple(map(int, planes))


def _check_colours(file: DngFile, tag: Tag, colours: list[float]) -> None:
    other = sorted(set(colours) - {0, 1, 2})
    if other:
        raise file.refusal(tag, f"has {colour_names(other)}; only red, green and blue are understood", _BAYER_CAMERA)


def colour_names(colours: Sequence[float]) -> str:
    """What CFAPattern's numbers stand for."""
    return ", ".join(_COLOURS[int(colour)] if colour < len(_COLOURS) else f"{colour:g}" for colour in colours)


def _listed(numbers: Sequence[float]) -> str:
    return "x".join(f"{number:g}" for number in numbers) if len(numbers) == 2 else ", ".join(f"{n:g}" for n in numbers)

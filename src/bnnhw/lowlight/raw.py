"""Raw files of cameras, read with LibRaw (rawpy): their mosaics, and what LibRaw makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from .dng import Dng, Levels, colour_names, dng_size, read_dng
from .dng_file import Tag
from .filters import FILTERS, XTRANS, ColourFilter
from .mosaic import extend

__all__ = ["RawPhoto", "develop_raw", "load_raw"]

_LEAST = 22
"""Rows and columns of the smallest DNG that LibRaw reads."""
_LEAST_XTRANS = 512
"""Of the smallest X-Trans mosaic that LibRaw demosaics."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RawPhoto:
    """A raw file's mosaic, made to begin as its filter does here and to have whole periods.

    Attributes
    ----------
    mosaic : (H, W) float32
        (value - black level of the position) / (white level - that black level), as `mosaic.py` describes. Noise may
        take it below 0.
    border : ((top, bottom), (left, right))
        How many of its rows and columns the sensor does not have, fewer than a period each; they are those that lie a
        period farther in, which keeps each pixel under its colour.
    flip : int
        How the camera was held, as LibRaw's flip: the picture is mirrored upside down if 2 is in it, left to right if
        1, and then transposed if 4.
    filters : ColourFilter
    """

    mosaic: NDArray[np.float32]
    border: tuple[tuple[int, int], tuple[int, int]]
    flip: int
    filters: ColourFilter

    def crop(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) of the mosaic's size without `border`."""
        (top, bottom), (left, right) = self.border
        height, width = picture.shape[:2]
        return picture[top : height - bottom, left : width - right]

    def pad(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) of the sensor's pixels with `border` added to it."""
        return extend(picture, self.border, self.filters)

    def turn(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) as the camera was held."""
        if self.flip & 2:
            picture = picture[::-1]
        if self.flip & 1:
            picture = picture[:, ::-1]
        return picture.swapaxes(0, 1) if self.flip & 4 else picture


def load_raw(path: Path, wanted: ColourFilter | None = None) -> RawPhoto:
    """The mosaic in the raw file at `path`, without its masked border; any order of a Bayer filter, any phase of
    X-Trans, any size.

    A DNG's levels are those of its tags (`dng.py`), other files' are LibRaw's. Raises OSError if it cannot be read and
    ValueError, with the way out, if it is no raw file, not of such a sensor or not of the filter
    that is `wanted`, or its levels make no sense.
    """
    with _opened(path) as (raw, dng):
        mosaic = _levels(path, raw, dng).apply(_values(raw, dng))
        filters, (top, left) = _filter_of(path, _pattern(raw, dng))
        if wanted is not None and filters is not wanted:
            raise ValueError(
                f"{path} comes from a sensor with a filter of {filters.title}, where {wanted.title} is needed: give a "
                f"photo of such a sensor, or take a network for mosaics of {filters.title}"
            )
        period = filters.period
        height, width = mosaic.shape
        border = ((top, -(height + top) % period), (left, -(width + left) % period))
        return RawPhoto(mosaic=extend(mosaic, border, filters), border=border, flip=raw.sizes.flip, filters=filters)


def develop_raw(path: Path, *, brightness: float = 1.0) -> NDArray[np.float32]:
    """What LibRaw makes of a raw file, (H, W, 3) sRGB in [0, 1]: the camera's white balance, no automatic brightness,
    not turned. With `brightness` 1 it is the target of "Learning to See in the Dark". Raises as `load_raw`.

    Where a DNG's levels are not those that LibRaw has of it, LibRaw gets the mosaic of `load_raw` to develop. It must
    have square pixels, and planes in the order that LibRaw develops.
    """
    with _opened(path) as (raw, dng):
        if dng is not None and dng.planes != (0, 1, 2):
            raise ValueError(
                f"{path}: its {Tag.CFAPlaneColor} is {colour_names(dng.planes)}; LibRaw develops no other order than "
                "red, green, blue: write it in this one"
            )
        black = {}
        height, width = raw.raw_image_visible.shape
        filters, _ = _filter_of(path, _pattern(raw, dng))
        least = _LEAST_XTRANS
        if filters is XTRANS and min(height, width) < least:
            raise ValueError(
                f"{path} has {height}x{width} pixels; LibRaw develops X-Trans mosaics of {least}x{least} and more: "
                "give the photo that it was cut from"
            )
        levels, known = _levels(path, raw, dng), _libraw_levels(raw)
        floats = dng is not None and dng.samples is not None
        if floats or not (np.array_equal(levels.black, known.black) and np.array_equal(levels.span, known.span)):
            mosaic = np.clip(levels.apply(_values(raw, dng)), 0, 1)
            raw.raw_image_visible[:] = np.rint(mosaic * np.float32(raw.white_level))
            black = {"user_black": 0, "user_cblack": [0, 0, 0, 0]}
        picture = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, output_bps=16, user_flip=0, bright=brightness, **black
        )
        if picture.shape != (height, width, 3):
            raise ValueError(
                f"{path}: LibRaw makes {picture.shape[1]}x{picture.shape[0]} pixels of {width}x{height}, so its pixels "
                "are not square; resample it to a DNG of square pixels"
            )
        return (picture / np.float32(65535)).astype(np.float32)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[rawpy.RawPy, Dng | None]]:
    """The file, whose sensor is known to have a filter of `FILTERS`, and its tags if it is a DNG."""
    dng = read_dng(path)  # before LibRaw, whose errors would not say why
    if dng is not None:
        _filter_of(path, dng.pattern)
    try:
        with rawpy.imread(str(path)) as raw:
            _check_mosaic(path, raw, dng)
            yield raw, dng
    except rawpy.LibRawError as error:
        if (size := dng_size(path)) is not None and min(size) < _LEAST:
            raise ValueError(
                f"{path} has {size[0]}x{size[1]} pixels; LibRaw reads DNGs of {_LEAST}x{_LEAST} and more: "
                "give the photo that it was cut from"
            ) from error
        raise ValueError(
            f"{path} is no raw file that LibRaw {'.'.join(map(str, rawpy.libraw_version))} reads, or it is damaged; "
            "give a DNG, ARW, NEF, CR2 or their kin, or convert it with Adobe DNG Converter"
        ) from error


def _check_mosaic(path: Path, raw: rawpy.RawPy, dng: Dng | None) -> None:
    numbered = raw.raw_pattern if raw.raw_type == rawpy.RawType.Flat else None
    if numbered is None:
        raise ValueError(
            f"{path} has no colour filter over its pixels (a monochrome or layered sensor, or already demosaiced); "
            "a Bayer or X-Trans mosaic is needed: give the camera's own file"
        )
    if dng is None:
        _filter_of(path, _named(raw, numbered))
    elif not np.array_equal(_pattern(raw, dng), np.take((*dng.planes, dng.planes[1]), _numbered(raw))):
        raise ValueError(
            f"{path}: LibRaw reads its {Tag.CFAPattern} in another way than the DNG specification; "
            "convert it with Adobe DNG Converter"
        )


def _filter_of(path: Path, pattern: NDArray) -> tuple[ColourFilter, tuple[int, int]]:
    """The filter of this pattern, which has 0 for red, 1 for green and 2 for blue, and its phase."""
    for each in FILTERS.values():
        if (phase := each.phase_of(pattern)) is not None:
            return each, phase
    raise ValueError(
        f"{path} comes from a sensor with neither a Bayer nor an X-Trans filter; 2x2 red, green, green and blue, or "
        "6x6 as Fujifilm has them, are needed: give a photo of such a camera"
    )


def _named(raw: rawpy.RawPy, numbered: NDArray[np.uint8]) -> NDArray[np.int64]:
    """What LibRaw's numbers of colours stand for: 0 is red, 1 green, 2 blue, -1 another colour."""
    return np.take([b"RGB".find(letter) for letter in raw.color_desc], numbered)


def _pattern(raw: rawpy.RawPy, dng: Dng | None) -> NDArray:
    """The colours of the first pixels behind the masked border, which all filters' periods divide."""
    if dng is None:
        return _named(raw, _numbered(raw))
    rows, columns = _window(raw)
    return dng.colours(rows[: XTRANS.period], columns[: XTRANS.period])


def _numbered(raw: rawpy.RawPy) -> NDArray[np.uint8]:
    """The same by LibRaw's numbers; the second green of Bayer's is 3."""
    return raw.raw_colors_visible[: XTRANS.period, : XTRANS.period]


def _window(raw: rawpy.RawPy) -> tuple[range, range]:
    """The rows and columns of the sensor that LibRaw shows. Where the masked border is odd, they are one less."""
    sizes = raw.sizes
    return (
        range(sizes.top_margin, sizes.top_margin + sizes.height),
        range(sizes.left_margin, sizes.left_margin + sizes.width),
    )


def _values(raw: rawpy.RawPy, dng: Dng | None) -> NDArray:
    if dng is None or dng.samples is None:
        return raw.raw_image_visible
    rows, columns = _window(raw)
    return dng.samples[rows.start : rows.stop, columns.start : columns.stop]


def _levels(path: Path, raw: rawpy.RawPy, dng: Dng | None) -> Levels:
    levels = None if dng is None else dng.levels(*_window(raw))
    levels = levels or _libraw_levels(raw)
    if not levels.span.min() > 0:
        raise ValueError(
            f"{path} says that white is {levels.white:g} and black {levels.black.max():g}; "
            "white must be greater: convert it with Adobe DNG Converter"
        )
    return levels


def _libraw_levels(raw: rawpy.RawPy) -> Levels:
    black = np.asarray(raw.black_level_per_channel, np.float32)
    colours = raw.raw_colors_visible
    return Levels(black=black[colours], span=(raw.white_level - black)[colours], white=raw.white_level)

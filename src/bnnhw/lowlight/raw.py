"""Raw files of cameras, read with LibRaw (rawpy): their mosaics, and what LibRaw makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

__all__ = ["RawPhoto", "develop_raw", "load_raw"]

_FILTERS = b"RGBG"
"""LibRaw's colours: 0 is red, 2 blue, and 1 and 3 are the two greens in either order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RawPhoto:
    """A raw file's mosaic, made to begin with red and to have even sizes.

    Attributes
    ----------
    mosaic : (H, W) float32
        (value - black level of the position) / (white level - that black level), as `mosaic.py` describes. Noise may
        take it below 0.
    border : ((top, bottom), (left, right))
        How many of its rows and columns are mirrored ones, which the sensor does not have; each is 0 or 1. A mirror at
        the outermost pixel keeps each pixel under its colour.
    flip : int
        How the camera was held, as LibRaw's flip: the picture is mirrored upside down if 2 is in it, left to right if
        1, and then transposed if 4.
    """

    mosaic: NDArray[np.float32]
    border: tuple[tuple[int, int], tuple[int, int]]
    flip: int

    def crop(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) of the mosaic's size without `border`."""
        (top, bottom), (left, right) = self.border
        height, width = picture.shape[:2]
        return picture[top : height - bottom, left : width - right]

    def pad(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) of the sensor's pixels with `border` mirrored onto it."""
        return np.pad(picture, (*self.border, (0, 0)), mode="reflect")

    def turn(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture (H, W, C) as the camera was held."""
        if self.flip & 2:
            picture = picture[::-1]
        if self.flip & 1:
            picture = picture[:, ::-1]
        return picture.swapaxes(0, 1) if self.flip & 4 else picture


def load_raw(path: Path) -> RawPhoto:
    """The mosaic in the raw file at `path`, without its masked border; any order of a Bayer filter, any size.

    Raises OSError if it cannot be read and ValueError, with the way out, if it is no raw file or not of a Bayer sensor.
    """
    with _opened(path) as raw:
        values, colours = raw.raw_image_visible, raw.raw_colors_visible
        if min(values.shape) < 2:
            raise ValueError(f"{path} has {values.shape[0]}x{values.shape[1]} pixels; a 2x2 block of colours is needed")
        black = np.asarray(raw.black_level_per_channel, np.float32)
        if not raw.white_level > black.max():
            raise ValueError(
                f"{path} says that white is {raw.white_level} and black {int(black.max())}; "
                "white must be greater: convert it with Adobe DNG Converter"
            )
        range_of = raw.white_level - black
        mosaic = (values - black[colours]) / range_of[colours]
        red_row, red_column = (int(index) for index in np.argwhere(colours[:2, :2] == 0)[0])
        height, width = mosaic.shape
        border = ((red_row, (height + red_row) % 2), (red_column, (width + red_column) % 2))
        return RawPhoto(
            mosaic=np.pad(mosaic.astype(np.float32), border, mode="reflect"), border=border, flip=raw.sizes.flip
        )


def develop_raw(path: Path, *, brightness: float = 1.0) -> NDArray[np.float32]:
    """What LibRaw makes of a raw file, (H, W, 3) sRGB in [0, 1]: the camera's white balance, no automatic brightness,
    not turned. With `brightness` 1 it is the target of "Learning to See in the Dark". Raises as `load_raw`."""
    with _opened(path) as raw:
        height, width = raw.raw_image_visible.shape
        picture = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, output_bps=16, user_flip=0, bright=brightness
        )
        if picture.shape != (height, width, 3):
            raise ValueError(
                f"{path}: LibRaw makes {picture.shape[1]}x{picture.shape[0]} pixels of {width}x{height}, so its pixels "
                "are not square; resample it to a DNG of square pixels"
            )
        return (picture / np.float32(65535)).astype(np.float32)


@contextmanager
def _opened(path: Path) -> Iterator[rawpy.RawPy]:
    """The file, whose sensor is known to have a Bayer filter."""
    with path.open("rb"):  # LibRaw's error would not say why
        pass
    try:
        with rawpy.imread(str(path)) as raw:
            _check_bayer(path, raw)
            yield raw
    except rawpy.LibRawError as error:
        raise ValueError(
            f"{path} is no raw file that LibRaw {'.'.join(map(str, rawpy.libraw_version))} reads, or it is damaged; "
            "give a DNG, ARW, NEF, CR2 or their kin, or convert it with Adobe DNG Converter"
        ) from error


def _check_bayer(path: Path, raw: rawpy.RawPy) -> None:
    pattern = raw.raw_pattern if raw.raw_type == rawpy.RawType.Flat else None
    if pattern is None:
        raise ValueError(
            f"{path} has no colour filter over its pixels (a monochrome or layered sensor, or already demosaiced); "
            "a Bayer mosaic is needed: give the camera's own file"
        )
    if pattern.shape != (2, 2) or raw.color_desc != _FILTERS or {int(c) % 4 for c in pattern.flat} - {1, 3} != {0, 2}:
        kind = "an X-Trans filter" if pattern.shape == (6, 6) else "no Bayer filter"
        raise ValueError(
            f"{path} comes from a sensor with {kind}; 2x2 red, green, green and blue are needed: give a photo of "
            "a camera with a Bayer sensor"
        )

"""The one reader of picture files."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decode import decode, orientation_of
from .errors import PictureError, PictureNote
from .samples import Samples, turn
from .source import Source

__all__ = ["FORMATS", "Picture", "read_picture"]

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "PPM", "TGA")
"""What is read. Pillow knows more, some of which starts other programs and some of which loses bits."""

_ALPHA = "its transparent parts are seen on white"
_INKS = "its CMYK is taken as (white - ink) * (white - black) / white, without a colour profile"
_FIRST = "it holds several pictures; the first one, the camera's main one, is taken"
_NO_EXIF = "its EXIF data are damaged; it is not turned"

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """Pixels (H, W, C), upright, from 0, black, to `white`: 255, 4095 or 65535, by the bits in the file."""

    pixels: NDArray[np.unsignedinteger]
    white: int


def read_picture(source: Source, *, channels: int, size: tuple[int, int] | None = None) -> Picture:
    """The picture in `source`, grey for 1 channel, RGB for 3, by the rules of docs/pictures.md.

    `size` is the (height, width) that a network takes, where only that will do. What the reader decides by itself it
    warns of, with a PictureNote. Raises OSError if the file cannot be opened, and ValueError, with the way out, if it
    is no picture, not one of known meaning, or of another size.
    """
    notes: list[str] = []
    try:
        samples, orientation = _read(source, size, notes)
    except PictureError as error:
        raise ValueError(f"{source} {error}") from error.__cause__
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the readers raise whatever they stumble over
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"{source} {_unreadable(source)}") from error
    notes += [_ALPHA] * (not samples.is_opaque) + [_INKS] * samples.is_inks
    for note in notes:
        warnings.warn(PictureNote(source, note), stacklevel=2)
    pixels = turn(samples.seen(channels), orientation)
    if size is not None and pixels.shape[:2] != size:
        raise ValueError(f"{source} {_of_size(pixels.shape[:2], size)}")
    return Picture(pixels=np.ascontiguousarray(pixels), white=samples.white)


def _of_size(found: tuple[int, ...], size: tuple[int, int]) -> str:
    return f"is {found[1]}x{found[0]} pixels; the network takes {size[1]}x{size[0]}: resize it first"


def _unreadable(source: Source) -> str:
    with source.open("rb") as file:
        if file.read(4) in _TIFF:
            return (
                "is a damaged TIFF, or one of an unusual kind; save it with 8 or 16 bits, in grey or RGB, or as a PNG"
            )
    return f"is no image that can be read; give a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"


def _read(source: Source, size: tuple[int, int] | None, notes: list[str]) -> tuple[Samples, int]:
    """(samples, EXIF's orientation)."""
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]  # Pillow may have been built without some
    with (
        warnings.catch_warnings(action="ignore"),
        source.open("rb") as file,  # of a path Pillow maps TIFFs into memory, and mistakes the width of turned ones
        Image.open(file, formats=formats) as image,
    ):
        if size is not None and sorted(image.size) != sorted(size):  # before anything large is unpacked
            raise PictureError(_of_size(image.size[::-1], size))
        if (count := getattr(image, "n_frames", 1)) > 1:
            if image.format != "MPO":
                raise PictureError(f"holds {count} pictures; save the one that is meant as a PNG")
            notes.append(_FIRST)
        samples = decode(source, image)
        try:
            return samples, orientation_of(image)
        except Exception:  # as above
            notes.append(_NO_EXIF)
            return samples, 1

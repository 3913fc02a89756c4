"""The one reader of picture files."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decode import decode, orientation_of
from .errors import PictureNote, Refusal
from .samples import Samples, turn

__all__ = ["FORMATS", "Picture", "read_picture"]

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "PPM", "TGA")
"""What is read. Pillow knows more, some of which starts other programs and some of which loses bits."""

_ALPHA = "its transparent parts are seen on white"
_INKS = "its CMYK is taken as (white - ink) * (white - black) / white, without a colour profile"
_FIRST = "it holds several pictures; the first one, the camera's main one, is taken"
_NO_EXIF = "its EXIF data are damaged; it is not turned"


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """Pixels (H, W, C), upright, from 0, black, to `white`: 255, 4095 or 65535, by the bits in the file."""

    pixels: NDArray[np.unsignedinteger]
    white: int


def read_picture(path: Path, *, channels: int) -> Picture:
    """The picture at `path`, grey for 1 channel, RGB for 3, by the rules of docs/pictures.md.

    Warns with a PictureNote of what it decides by itself. Raises OSError if the file cannot be opened, and ValueError,
    with the way out, if it is no picture or not one of known meaning.
    """
    notes: list[str] = []
    try:
        samples, orientation = _read(path, notes)
    except Refusal as refusal:
        raise ValueError(f"{path} {refusal}") from refusal.__cause__
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the readers raise whatever they stumble over
        if isinstance(error, OSError) and error.errno is not None:
            raise
        formats = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise ValueError(f"{path} is no image that can be read; give a {formats} file") from error
    notes += [_ALPHA] * (not samples.is_opaque) + [_INKS] * samples.is_inks
    for note in notes:
        warnings.warn(PictureNote(path, note), stacklevel=2)
    return Picture(pixels=np.ascontiguousarray(turn(samples.seen(channels), orientation)), white=samples.white)


def _read(path: Path, notes: list[str]) -> tuple[Samples, int]:
    """(samples, EXIF's orientation)."""
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]  # Pillow may have been built without some
    with warnings.catch_warnings(action="ignore"), Image.open(path, formats=formats) as image:
        if (count := getattr(image, "n_frames", 1)) > 1:
            if image.format != "MPO":
                raise Refusal(f"holds {count} pictures; save the one that is meant as a PNG")
            notes.append(_FIRST)
        samples = decode(path, image)
        try:
            return samples, orientation_of(image)
        except Exception:  # as above
            notes.append(_NO_EXIF)
            return samples, 1

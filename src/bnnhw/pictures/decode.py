"""From a file that Pillow has opened to its samples.

Tests: tests/pictures/test_reader.py
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from .deep import png_samples, tiff_samples
from .errors import PictureError
from .modes import MODES, REFUSED
from .samples import Samples
from .source import Source

__all__ = ["decode", "orientation_of", "samples_of"]

_WHITE_IS_ZERO = 0
_UNSIGNED = 1
_PNG_BITS = 24
"""Where a PNG's header says how many bits a sample has."""


def decode(source: Source, image: Image.Image) -> Samples:
    """The samples of `image`, just opened from `source`.

    Raises PictureError, and whatever damage makes the readers raise.
    """
    if image.format == "PNG":
        with source.open("rb") as file:
            bits = file.read(_PNG_BITS + 1)[_PNG_BITS]
        if bits == 16 or ("transparency" in image.info and image.mode != "P"):
            return png_samples(source)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _tiff(source, image)
    image.load()
    if image.format == "PPM" and image.mode == "I":  # a PGM of more than 8 bits, which Pillow scales to 16
        return Samples(colours=np.asarray(image)[..., None].astype(np.uint16), white=65535)
    return samples_of(image)


def _tiff(source: Source, image: TiffImagePlugin.TiffImageFile) -> Samples:
    bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    if any(kind != _UNSIGNED for kind in image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, ())):
        raise PictureError(REFUSED["F" if image.mode == "F" else "I"])
    if len(bits) > 1 and max(bits) > 8:
        return tiff_samples(source)
    inverted = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    with _silent_libtiff():
        image.load()
    samples = samples_of(image)
    if samples.white == 255:
        return samples
    white = 2 ** bits[0] - 1
    colours = white - samples.colours if inverted else samples.colours  # Pillow inverts up to 8 bits only
    return Samples(colours=colours, white=white)


@contextmanager
def _silent_libtiff() -> Iterator[None]:
    """Without the lines that libtiff, in C, writes to standard error about damaged files: our error says it."""
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def samples_of(image: Image.Image) -> Samples:
    """What Pillow has in memory."""
    if image.mode not in MODES:
        raise PictureError(REFUSED.get(image.mode, f"is of Pillow's mode {image.mode}, which is not known here"))
    mode = MODES[image.mode]
    if "transparency" in image.info and image.mode in ("1", "L", "RGB"):  # one colour that is not to be seen
        image = image.convert("RGBA")
        mode = MODES["RGBA"]
    elif mode.through:
        image = image.convert(mode.through)
    values = np.asarray(image)
    values = values.reshape(*values.shape[:2], -1)
    values = values.astype(values.dtype.newbyteorder("="))
    return Samples(
        colours=values[..., : mode.colours],
        alpha=values[..., mode.colours] if values.shape[2] > mode.colours else None,
        premultiplied=mode.premultiplied,
        white=int(np.iinfo(values.dtype).max),
    )


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, or XMP's, where the reader has not turned `image` already; 1 is upright.

    Raises whatever damaged EXIF data make Pillow raise.
    """
    return image.getexif().get(ExifTags.Base.Orientation, 1)

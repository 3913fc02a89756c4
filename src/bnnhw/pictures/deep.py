"""Files of more than 8 bits a colour, and of one transparent colour, which Pillow does not read exactly.

Tests: tests/pictures/test_reader.py
"""

import logging
from itertools import islice

import numpy as np
import png
import tifffile

from .errors import PictureError
from .samples import Samples
from .source import Source

__all__ = ["png_samples", "tiff_samples"]

logging.getLogger("tifffile").setLevel("CRITICAL")  # what it says of damaged files goes into our error


def png_samples(source: Source) -> Samples:
    """A PNG of grey or RGB, with the alpha of a colour that is said to be transparent. Raises pypng's errors."""
    with source.open("rb") as file:
        width, height, rows, info = png.Reader(file=file).read()
        values = np.array(list(islice(rows, height)), np.uint16 if info["bitdepth"] == 16 else np.uint8)
    values = values.reshape(height, width, info["planes"])
    white = int(np.iinfo(values.dtype).max)
    if info["alpha"]:
        return Samples(colours=values[..., :-1], alpha=values[..., -1], white=white)
    colours = values * (white // (2 ** info["bitdepth"] - 1))  # 1, 2 and 4 bits to 8, exactly
    if (hidden := info.get("transparent")) is None:
        return Samples(colours=colours, white=white)
    alpha = np.where((values == np.array(hidden)).all(axis=2), 0, white).astype(values.dtype)
    return Samples(colours=colours, alpha=alpha, white=white)


_COLOURS: dict[int, int] = {tifffile.PHOTOMETRIC.RGB: 3, tifffile.PHOTOMETRIC.SEPARATED: 4}


def tiff_samples(source: Source) -> Samples:
    """A TIFF of 16 bits a colour. Raises PictureError where it is neither RGB nor CMYK or cannot be decompressed."""
    with source.open("rb") as file, tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0].aspage()
        count = _COLOURS.get(page.photometric)
        if count is None:
            raise PictureError("is a TIFF of 16 bits that is neither grey, RGB nor CMYK; save it as a PNG")
        try:
            values = page.asarray()
        except (ValueError, KeyError) as error:
            raise PictureError(
                f"is a TIFF of 16 bits a colour whose compression, {tifffile.COMPRESSION(page.compression).name}, is "
                "not read here; save it without compression, or as a PNG"
            ) from error
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        values = np.moveaxis(values, 0, -1)
    kind = page.extrasamples[0] if page.extrasamples else tifffile.EXTRASAMPLE.UNSPECIFIED
    return Samples(
        colours=values[..., :count],
        alpha=None if kind == tifffile.EXTRASAMPLE.UNSPECIFIED else values[..., count],
        premultiplied=kind == tifffile.EXTRASAMPLE.ASSOCALPHA,
        white=65535,
    )

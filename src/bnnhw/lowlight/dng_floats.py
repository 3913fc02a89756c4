"""The floats of a DNG's mosaic, as they lie in the file: LibRaw makes 14-bit integers of them, scaled by their peak.

Of 16, 24 or 32 bits, in strips or tiles, uncompressed or deflated, with and without the predictors for floats (Adobe's
DNG specification 1.7.1, SampleFormat and Predictor; Adobe Photoshop's TIFF technical note 3).
"""

import zlib
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .dng_file import DngFile, Tag

__all__ = ["read_floats"]

_UNCOMPRESSED, _DEFLATED = 1, 8
_DEFLATE_MOST = 1032
"""Bytes that one of a deflated stream may become."""
_NEIGHBOURS = {3: 1, 34894: 2, 34895: 4}
"""Of the predictors of floats: how many bytes back the byte lies that each one was subtracted from."""


def read_floats(file: DngFile) -> NDArray[np.float32]:
    """The image's numbers, (height, width). ValueError if their form is none of those above, if they are not all there
    or not all finite."""
    bits, compression, predictor = (file.integer(tag, 1) for tag in (Tag.BitsPerSample, Tag.Compression, Tag.Predictor))
    if bits not in (16, 24, 32):
        raise file.refusal(Tag.BitsPerSample, f"is {bits}; floats have 16, 24 or 32")
    if compression not in (_UNCOMPRESSED, _DEFLATED):
        raise file.refusal(Tag.Compression, f"is {compression}; floats may be uncompressed (1) or deflated (8)")
    if predictor != 1 and (compression == _UNCOMPRESSED or predictor not in _NEIGHBOURS):
        raise file.refusal(Tag.Predictor, f"is {predictor}; deflated floats may have 1, 3, 34894 or 34895")
    segments = _segments(file)
    size = (max(place.bottom for place in segments), max(place.right for place in segments))
    most = file.tiff.filehandle.size * (_DEFLATE_MOST if compression == _DEFLATED else 1)
    if size[0] * size[1] * bits // 8 > most:
        raise _incomplete(file)
    whole = np.empty(size, np.float32)
    for place in segments:
        columns = place.right - place.left
        lines = _bytes(file, place, columns * bits // 8, deflated=compression == _DEFLATED)
        if predictor != 1:
            lines = _unpredicted(lines, columns, _NEIGHBOURS[predictor])
        elif file.tiff.byteorder == "<":
            lines = lines.reshape(len(lines), columns, bits // 8)[:, :, ::-1].reshape(len(lines), -1)
        whole[place.top : place.bottom, place.left : place.right] = _floats(lines, bits)
    floats = whole[: file.integer(Tag.ImageLength, 0), : file.integer(Tag.ImageWidth, 0)]
    if not np.isfinite(floats).all():
        raise ValueError(f"{file.path} has pixels that are infinite or no numbers; write it anew with finite ones")
    return floats


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """Where a strip or tile lies in the image, and in the file."""

    top: int
    left: int
    bottom: int
    right: int
    offset: int
    length: int


def _segments(file: DngFile) -> list[_Segment]:
    """All of them, which cover the image; tiles may jut out."""
    height, width = file.integer(Tag.ImageLength, 0), file.integer(Tag.ImageWidth, 0)
    tiled = Tag.TileOffsets in file.image.tags
    if tiled:
        rows, columns = file.integer(Tag.TileLength, 0), file.integer(Tag.TileWidth, 0)
        offsets, lengths = file.numbers(Tag.TileOffsets, ()), file.numbers(Tag.TileByteCounts, ())
    else:
        rows, columns = min(file.integer(Tag.RowsPerStrip, height, most=2**32 - 1), height), width
        offsets, lengths = file.numbers(Tag.StripOffsets, ()), file.numbers(Tag.StripByteCounts, ())
    corners = list(product(range(0, height, rows), range(0, width, columns)))
    if not len(corners) == len(offsets) == len(lengths):
        raise _incomplete(file)
    return [
        _Segment(
            top=top,
            left=left,
            bottom=top + rows if tiled else min(top + rows, height),
            right=left + columns,
            offset=int(offset),
            length=int(length),
        )
        for (top, left), offset, length in zip(corners, offsets, lengths, strict=True)
    ]


def _bytes(file: DngFile, place: _Segment, width: int, *, deflated: bool) -> NDArray[np.uint8]:
    """(rows, `width`)."""
    size = (place.bottom - place.top) * width
    handle = file.tiff.filehandle
    handle.seek(place.offset)
    try:
        data = handle.read(place.length)
        data = zlib.decompressobj().decompress(data, size) if deflated else data[:size]
    except zlib.error:
        data = b""
    if len(data) != size:
        raise _incomplete(file)
    return np.frombuffer(data, np.uint8).reshape(-1, width)


def _incomplete(file: DngFile) -> ValueError:
    return ValueError(f"{file.path} is damaged: not all of its pixels are there; copy it from the camera anew")


def _unpredicted(lines: NDArray[np.uint8], columns: int, neighbours: int) -> NDArray[np.uint8]:
    """(rows, bytes) -> (rows, bytes), big-endian: sums the bytes' differences, then puts the bytes of each float, which
    lie in a plane each, the highest first, side by side."""
    summed = lines.reshape(len(lines), -1, neighbours).cumsum(axis=1, dtype=np.uint8)
    return summed.reshape(len(lines), -1, columns).swapaxes(1, 2).reshape(len(lines), -1)


def _floats(lines: NDArray[np.uint8], bits: int) -> NDArray[np.float32]:
    """(rows, bytes) of big-endian floats -> (rows, columns)."""
    if bits != 24:
        return np.ascontiguousarray(lines).view(f">f{bits // 8}").astype(np.float32)
    high, middle, low = np.moveaxis(lines.reshape(len(lines), -1, 3).astype(np.int32), 2, 0)
    exponent, fraction = high & 0x7F, middle << 8 | low  # sign, 7 bits of exponent, 16 of fraction
    floats = np.ldexp((fraction + np.where(exponent > 0, 65536, 0)) / np.float32(65536), np.maximum(exponent, 1) - 63)
    floats[exponent == 0x7F] = np.inf
    return np.where(high & 0x80, -floats, floats).astype(np.float32)

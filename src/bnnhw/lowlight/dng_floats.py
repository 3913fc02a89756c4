"""The floats of a DNG's mosaic, as they lie in the file: LibRaw makes 14-bit integers of them, scaled by their peak.

Of 16, 24 or 32 bits, in strips or tiles, uncompressed or deflated, with and without the predictors for floats (Adobe's
DNG specification 1.7.1, SampleFormat and Predictor; Adobe Photoshop's TIFF technical note 3).
"""

import zlib

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
    bits, compression, predictor = (
        int(file.numbers(tag, (1,))[0]) for tag in (Tag.BitsPerSample, Tag.Compression, Tag.Predictor)
    )
    if bits not in (16, 24, 32):
        raise file.refusal(Tag.BitsPerSample, f"is {bits}; floats have 16, 24 or 32")
    if compression not in (_UNCOMPRESSED, _DEFLATED):
        raise file.refusal(Tag.Compression, f"is {compression}; floats may be uncompressed (1) or deflated (8)")
    if predictor != 1 and (compression == _UNCOMPRESSED or predictor not in _NEIGHBOURS):
        raise file.refusal(Tag.Predictor, f"is {predictor}; deflated floats may have 1, 3, 34894 or 34895")
    page = file.image
    height, width = page.imagelength, page.imagewidth
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (min(page.rowsperstrip, height), width)
    across = -(-width // columns)
    size = (-(-height // rows) * rows, across * columns)
    most = file.tiff.filehandle.size * (_DEFLATE_MOST if compression == _DEFLATED else 1)
    if len(page.dataoffsets) < size[0] // rows * across or height * width * bits // 8 > most:
        raise _incomplete(file)
    whole = np.empty(size, np.float32)
    for number in range(whole.size // (rows * columns)):
        top, left = number // across * rows, number % across * columns
        here = rows if page.is_tiled else min(rows, height - top)  # the last strip may be shorter
        data = _segment(file, number, here * columns * bits // 8, deflated=compression == _DEFLATED)
        lines = np.frombuffer(data, np.uint8).reshape(here, columns * bits // 8)
        if predictor != 1:
            lines = _unpredicted(lines, columns, _NEIGHBOURS[predictor])
        elif file.tiff.byteorder == "<":
            lines = lines.reshape(here, columns, bits // 8)[:, :, ::-1].reshape(here, -1)
        whole[top : top + here, left : left + columns] = _floats(lines, bits)
    floats = whole[:height, :width]
    if not np.isfinite(floats).all():
        raise ValueError(f"{file.path} has pixels that are infinite or no numbers; write it anew with finite ones")
    return floats


def _segment(file: DngFile, number: int, size: int, *, deflated: bool) -> bytes:
    """A strip or tile."""
    handle = file.tiff.filehandle
    handle.seek(file.image.dataoffsets[number])
    try:
        data = handle.read(file.image.databytecounts[number])
        data = zlib.decompressobj().decompress(data, size) if deflated else data[:size]
    except zlib.error:
        data = b""
    if len(data) != size:
        raise _incomplete(file)
    return data


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

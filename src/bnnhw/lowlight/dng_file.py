"""The tags of a DNG file, and which of its images is the sensor's.

Tests: tests/lowlight/test_dng.py
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from struct import unpack_from

import numpy as np
import tifffile

__all__ = ["DngFile", "Tag", "open_dng"]

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it finds odd, errors here say in one line


class Tag(IntEnum):
    """Tags by the names that Adobe's DNG specification and TIFF give them."""

    NewSubFileType = 254
    ImageWidth = 256
    ImageLength = 257
    BitsPerSample = 258
    Compression = 259
    PhotometricInterpretation = 262
    StripOffsets = 273
    SamplesPerPixel = 277
    RowsPerStrip = 278
    StripByteCounts = 279
    Predictor = 317
    TileWidth = 322
    TileLength = 323
    TileOffsets = 324
    TileByteCounts = 325
    SampleFormat = 339
    CFARepeatPatternDim = 33421
    CFAPattern = 33422
    DNGVersion = 50706
    CFAPlaneColor = 50710
    CFALayout = 50711
    BlackLevelRepeatDim = 50713
    BlackLevel = 50714
    BlackLevelDeltaH = 50715
    BlackLevelDeltaV = 50716
    WhiteLevel = 50717
    ActiveArea = 50829
    MaskedAreas = 50830

    def __str__(self) -> str:
        return f"{self.name} (tag {self.value})"


_RATIONALS = (5, 10)
"""TIFF's types of two integers, the second of which divides the first."""
_CFA, _LINEAR = 32803, 34892
"""Photometric interpretations of what comes from a sensor: a mosaic, and one that is already demosaiced."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DngFile:
    """A DNG that is open.

    Attributes
    ----------
    tiff : TiffFile
    image, first : TiffPage
        The directory of the sensor's mosaic, and the file's first one.
    """

    path: Path
    tiff: tifffile.TiffFile
    image: tifffile.TiffPage
    first: tifffile.TiffPage

    def holder(self, *tags: Tag) -> tifffile.TiffPage:
        """The directory to take `tags` from: the image's if it has one of them, else the file's first, as LibRaw."""
        return self.image if any(tag in self.image.tags for tag in tags) else self.first

    def numbers(self, tag: Tag, default: tuple[float, ...], *, of: tifffile.TiffPage | None = None) -> list[float]:
        """The numbers of a tag of any of TIFF's numeric types, in the image's directory or in that of another.

        ValueError if they are none, or not finite.
        """
        found = (of or self.image).tags.get(tag)
        if found is None:
            return list(default)
        value = found.value
        values = list(value) if isinstance(value, (tuple, bytes)) else [value]
        try:
            if found.dtype in _RATIONALS:
                values = [above / below for above, below in zip(values[::2], values[1::2], strict=True)]
            numbers = [float(value) for value in values]
        except (ArithmeticError, TypeError, ValueError):
            numbers = []
        if not numbers or not np.isfinite(numbers).all():
            raise self.refusal(tag, "holds no finite numbers")
        return numbers

    def integer(self, tag: Tag, default: int, *, most: int = 65535) -> int:
        """The first number of a tag, which must lie in [1, `most`]."""
        number = self.numbers(tag, (default,))[0]
        if not 1 <= number <= most:
            raise self.refusal(tag, f"is {number:g}; it must lie in [1, {most}]")
        return int(number)

    def refusal(self, tag: Tag, fault: str, way_out: str = "convert it with Adobe DNG Converter") -> ValueError:
        """The error that names the file, the tag, what is wrong with it and what to do."""
        return ValueError(f"{self.path}: its {tag} {fault}; {way_out}")


@contextmanager
def open_dng(path: Path) -> Iterator[DngFile | None]:
    """The DNG at `path`; None if it is no DNG, or none with a mosaic.

    Of several images it is the one that LibRaw decodes: the first that is a main image. OSError if the file cannot be
    read, ValueError if its directories are damaged.
    """
    if Tag.DNGVersion not in _first_codes(path):
        yield None
        return
    try:
        tiff = tifffile.TiffFile(path)
    except Exception as error:  # tifffile names no exceptions for what strangers' files make it do
        raise _damaged(path) from error
    with tiff:
        try:
            image = next((page for page in _directories(tiff.pages) if _is_main(page)), None)
            for page in (tiff.pages.first, image) if image is not None else ():
                _check_complete(tiff, page)
        except Exception as error:
            raise _damaged(path) from error
        if image is None or image.tags[Tag.PhotometricInterpretation].value != _CFA:
            yield None
        else:
            yield DngFile(path=path, tiff=tiff, image=image, first=tiff.pages.first)


def _first_codes(path: Path) -> list[int]:
    """The codes of the tags in the first directory; none if the file is no TIFF."""
    with path.open("rb") as file:
        head = file.read(8)
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
        if order is None or len(head) < 8:
            return []
        file.seek(unpack_from(f"{order}I", head, 4)[0])
        return _codes(file.read(2 + 65535 * 12), order)


def _codes(directory: bytes, order: str) -> list[int]:
    count = min(unpack_from(f"{order}H", directory)[0] if len(directory) > 1 else 0, (len(directory) - 2) // 12)
    return [unpack_from(f"{order}H", directory, 2 + 12 * entry)[0] for entry in range(count)]


def _directories(pages: tifffile.TiffPages) -> Iterator[tifffile.TiffPage]:
    """All directories in the order of LibRaw: each before those within it."""
    for page in pages:
        assert isinstance(page, tifffile.TiffPage)  # frames are pages that were asked for as such
        yield page
        if page.pages is not None:
            yield from _directories(page.pages)


def _is_main(page: tifffile.TiffPage) -> bool:
    subfile, photometric = page.tags.get(Tag.NewSubFileType), page.tags.get(Tag.PhotometricInterpretation)
    main = subfile is None or subfile.value == 0
    return main and photometric is not None and photometric.value in (_CFA, _LINEAR)


def _check_complete(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> None:
    """tifffile leaves out tags whose values lie beyond the file's end, and a default would take their place."""
    tiff.filehandle.seek(page.offset)
    codes = _codes(tiff.filehandle.read(2 + 65535 * 12), tiff.byteorder)
    for tag in Tag:
        if codes.count(tag) != (tag in page.tags):
            raise ValueError(tag)


def _damaged(path: Path) -> ValueError:
    return ValueError(f"{path} is a DNG whose tags are damaged; copy it from the camera anew")

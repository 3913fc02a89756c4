"""Raw photos made up for tests: DNG files (Adobe's specification 1.7.1) with whatever sensor a test wants."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["ASCII", "BYTE", "DOUBLE", "FLOAT", "LONG", "RATIONAL", "SHORT", "SRATIONAL", "Tags", "float24", "write_dng"]

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 10, 11, 12
_FORMATS = {BYTE: "B", ASCII: "s", SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "iI", FLOAT: "f", DOUBLE: "d"}
_CFA_COLOURS = {"R": 0, "G": 1, "B": 2}
_XYZ_TO_CAMERA = (0.7171, -0.1986, -0.0648, -0.8085, 1.5555, 0.2718, -0.2170, 0.2512, 0.7457)
_NEIGHBOURS = {3: 1, 34894: 2, 34895: 4}

Tags = Mapping[int, tuple[int, Sequence[float] | str] | None]
"""Of each tag its type and its numbers; None leaves it out."""
Order = Literal["<", ">"]


def write_dng(
    path: Path,
    mosaic: NDArray,
    *,
    pattern: str = "RGGB",
    black: Sequence[int] = (0, 0, 0, 0),
    white: int = 16383,
    neutral: Sequence[float] = (0.5, 1.0, 0.625),
    orientation: int = 1,
    active: tuple[int, int, int, int] | None = None,
    scale: tuple[float, float] = (1.0, 1.0),
    tags: Tags | None = None,
    order: Order = "<",
    inside: bool = False,
    bits: int | None = None,
    tile: tuple[int, int] | None = None,
    strip: int | None = None,
    gap: int = 0,
    predictor: int | None = None,
    first: Tags | None = None,
) -> None:
    """Writes `mosaic` (H, W), of integers or floats, as a DNG.

    Parameters
    ----------
    pattern : str
        The colours of the filter row by row, square: RGGB, or 36 letters for an X-Trans sensor.
    black : four ints
        The black level of each position of a 2x2 block, row by row.
    neutral : three floats
        What the camera sees of a grey: the inverse of its white balance.
    orientation : int
        TIFF's: 1 as it is, 3 upside down, 6 to be turned clockwise, 8 counter-clockwise.
    active : (top, left, bottom, right), optional
        The sensor less its masked border; the pattern begins at its corner.
    scale : (horizontal, vertical)
        Of the pixels, which need not be square.
    tags : Tags, optional
        More tags of the mosaic, or others instead.
    order : "<" or ">"
        Of the bytes.
    inside : bool
        Whether the mosaic lies in a directory within a thumbnail's, as in most cameras' DNGs.
    bits : int, optional
        Of each number, if not those of `mosaic`: integers are packed, and 24 makes 24-bit floats.
    tile : (rows, columns), optional
    strip : int, optional
        Rows in each; all if there are no tiles either.
    gap : int
        Bytes between two strips or tiles.
    predictor : int, optional
        1, or one for floats: deflates them. Uncompressed if it is not given.
    first : Tags, optional
        More tags of the file's first directory.
    """
    height, width = mosaic.shape
    is_float = mosaic.dtype.kind == "f"
    bits = bits or 8 * mosaic.itemsize
    size = round(len(pattern) ** 0.5)
    colour: Tags = {
        50706: (BYTE, (1, 4, 0, 0)),  # DNGVersion
        50708: (ASCII, "Made up"),  # UniqueCameraModel
        50721: (SRATIONAL, _XYZ_TO_CAMERA),  # ColorMatrix1
        50728: (RATIONAL, neutral),  # AsShotNeutral
        50778: (SHORT, (21,)),  # CalibrationIlluminant1: D65
        274: (SHORT, (orientation,)),
    }
    image: dict[int, tuple[int, Sequence[float] | str] | None] = {
        254: (LONG, (0,)),  # NewSubFileType: the main image
        256: (LONG, (width,)),
        257: (LONG, (height,)),
        258: (SHORT, (bits,)),
        259: (SHORT, (1 if predictor is None else 8,)),  # Compression
        262: (SHORT, (32803,)),  # PhotometricInterpretation: a mosaic
        277: (SHORT, (1,)),  # SamplesPerPixel
        339: (SHORT, (3 if is_float else 1,)),  # SampleFormat
        33421: (SHORT, (size, size)),  # CFARepeatPatternDim
        33422: (BYTE, [_CFA_COLOURS[letter] for letter in pattern]),  # CFAPattern
        50713: (SHORT, (2, 2)),  # BlackLevelRepeatDim
        50714: (LONG, black),
        50717: (LONG, (white,)),
        50718: (RATIONAL, scale),  # DefaultScale
    }
    if predictor is not None:
        image |= {317: (SHORT, (predictor,))}
    if active is not None:
        image |= {50829: (LONG, active)}
    segments = [
        _encoded(segment, order=order, bits=bits, predictor=predictor)
        for segment in _cut(mosaic, tile or (strip or height, width), whole=tile is not None)
    ]
    if tile is not None:
        image |= {322: (LONG, (tile[1],)), 323: (LONG, (tile[0],))}
    else:
        image |= {278: (LONG, (strip or height,))}
    image |= {(325 if tile else 279): (LONG, [len(segment) for segment in segments])}
    image |= tags or {}
    offsets = 324 if tile else 273
    outer = {**colour, **(first or {})}
    if inside:
        outer |= {254: (LONG, (1,)), 256: (LONG, (1,)), 257: (LONG, (1,)), 258: (SHORT, (8, 8, 8)), 259: (SHORT, (1,))}
        outer |= {262: (SHORT, (2,)), 273: (LONG, (8,)), 277: (SHORT, (3,)), 278: (LONG, (1,)), 279: (LONG, (3,))}
        start = 8 + len(_directory({**outer, 330: (LONG, (0,))}, 8, order))
        thumbnail = _directory({**outer, 330: (LONG, (start,))}, 8, order)
    else:
        image, thumbnail, start = {**outer, **image}, b"", 8
    data = start + len(_directory({**image, offsets: (LONG, [0] * len(segments))}, start, order))
    at = [data + sum(map(len, segments[:number])) + gap * number for number in range(len(segments))]
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    path.write_bytes(
        head + thumbnail + _directory({**image, offsets: (LONG, at)}, start, order) + bytes(gap).join(segments)
    )


def _directory(tags: Tags, start: int, order: str) -> bytes:
    """A directory that begins at `start`, with what does not fit into its entries behind it."""
    kept = {code: tag for code, tag in sorted(tags.items()) if tag is not None}
    entries, rest = b"", b""
    behind = start + 2 + 12 * len(kept) + 4
    for code, (kind, values) in kept.items():
        data = _packed(kind, values, order)
        count = len(values) + (kind == ASCII)
        if len(data) > 4:
            value = struct.pack(f"{order}I", behind + len(rest))
            rest += data + b"\0" * (len(data) % 2)
        else:
            value = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", code, kind, count) + value
    return struct.pack(f"{order}H", len(kept)) + entries + bytes(4) + rest


def _packed(kind: int, values: Sequence[float] | str, order: str) -> bytes:
    if isinstance(values, str):
        return values.encode() + b"\0"
    if kind in (RATIONAL, SRATIONAL):
        pairs = [(round(value * 10_000), 10_000) for value in values]
        return b"".join(struct.pack(f"{order}{_FORMATS[kind]}", *pair) for pair in pairs)
    return struct.pack(f"{order}{len(values)}{_FORMATS[kind]}", *values)


def _cut(mosaic: NDArray, size: tuple[int, int], *, whole: bool) -> Iterator[NDArray]:
    """Its tiles or strips; tiles are always whole, padded with ones."""
    height, width = mosaic.shape
    if whole:
        mosaic = np.pad(mosaic, ((0, -height % size[0]), (0, -width % size[1])), constant_values=1)
    for top in range(0, height, size[0]):
        for left in range(0, width, size[1]):
            yield mosaic[top : top + size[0], left : left + size[1]]


def _encoded(segment: NDArray, *, order: Order, bits: int, predictor: int | None) -> bytes:
    height, width = segment.shape
    if segment.dtype.kind != "f":
        if bits == 8 * segment.itemsize:
            return segment.astype(segment.dtype.newbyteorder(order)).tobytes()
        digits = segment[..., None] >> np.arange(bits)[::-1] & 1
        return np.packbits(digits.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    big = float24(segment) if bits == 24 else segment.astype(f">f{bits // 8}").view(np.uint8)
    big = big.reshape(height, width, bits // 8)
    if predictor is None:
        return (big if order == ">" else big[..., ::-1]).tobytes()
    if predictor != 1:
        planes = big.swapaxes(1, 2).reshape(height, -1)
        back = _NEIGHBOURS[predictor]
        big = planes.copy()
        big[:, back:] -= planes[:, :-back]
    elif order == "<":
        big = big[..., ::-1]
    return zlib.compress(big.tobytes())


def float24(values: NDArray) -> NDArray[np.uint8]:
    """(...) -> (..., 3) bytes: sign, 7 bits of exponent, 16 of fraction; cut, not rounded."""
    finite = np.where(np.isinf(values), 0, np.abs(values)).astype(np.float64)
    power = np.maximum(np.frexp(finite)[1] + 62, 0)  # 1 to 2 has 63; the smallest numbers have none of their own
    fraction = np.ldexp(finite, 16 + 63 - np.maximum(power, 1)).astype(np.int64) & 0xFFFF
    power = np.where(np.isinf(values), 127, np.where(finite == 0, 0, power))
    number = np.signbit(values).astype(np.int64) << 23 | power.astype(np.int64) << 16 | fraction
    return (number[..., None] >> np.array([16, 8, 0]) & 0xFF).astype(np.uint8)

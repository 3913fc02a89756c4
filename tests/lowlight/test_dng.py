"""DNGs whose numbers mean other things: each is read exactly."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import BYTE, DOUBLE, FLOAT, LONG, RATIONAL, SHORT, SRATIONAL, write_dng

HEIGHT, WIDTH, WHITE = 40, 60, 16000
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.integers(400, WHITE, (HEIGHT, WIDTH)).astype(np.uint16)
FOUR = (500, 520, 540, 560)
OF_ROWS, OF_COLUMNS = (np.arange(HEIGHT) - 20) / 4, (np.arange(WIDTH) % 7 - 3) / 8
CURVE = np.arange(4096) ** 2 // 1024

BLACK_DIM, BLACK, OF_H, OF_V, WHITE_LEVEL = 50713, 50714, 50715, 50716, 50717


@dataclass(frozen=True, kw_only=True)
class File:
    """What is written, and what it means: the black level at a row and a column of the active area, what is then added
    at most anywhere, the number that is white, and the first row and column that LibRaw shows."""

    options: dict[str, Any] = field(default_factory=dict)
    written: np.ndarray = field(default_factory=lambda: VALUES)
    values: np.ndarray = field(default_factory=lambda: VALUES)
    black: Callable[[int, int], float] = lambda row, column: FOUR[row % 2 * 2 + column % 2]
    added: Callable[[int, int], float] = lambda row, column: 0.0
    added_most: float = 0.0
    white: int = WHITE
    active: tuple[int, int] = (0, 0)
    shown: tuple[int, int] = (0, 0)

    def mosaic(self) -> np.ndarray:
        """Number by number."""
        (top, left), (first_row, first_column) = self.active, self.shown
        height, width = self.values.shape
        mosaic = np.empty((height - first_row, width - first_column))
        for row in range(first_row, height):
            for column in range(first_column, width):
                black = self.black(row - top, column - left)
                value = float(self.values[row, column]) - black - self.added(row - top, column - left)
                mosaic[row - first_row, column - first_column] = value / (self.white - black - self.added_most)
        return mosaic


def pattern(rows: int, columns: int, *, kind: int = LONG, step: float = 7, **options: Any) -> File:
    """BlackLevelRepeatDim of any size."""
    levels = 400 + step * np.arange(rows * columns)
    written = levels.astype(int) if kind == LONG else levels
    return File(
        options={"tags": {BLACK_DIM: (SHORT, (rows, columns)), BLACK: (kind, written)}, **options},
        black=lambda row, column: levels[row % rows * columns + column % columns],
    )


def lines(**options: Any) -> File:
    """Black levels of rows and columns."""
    return File(
        options={"tags": {OF_V: (SRATIONAL, OF_ROWS), OF_H: (SRATIONAL, OF_COLUMNS)}, **options},
        added=lambda row, column: OF_ROWS[row] + OF_COLUMNS[column],
        added_most=OF_ROWS.max() + OF_COLUMNS.max(),
    )


def active(top: int, left: int, **options: Any) -> File:
    """All patterns begin at its corner; LibRaw shows an even one."""
    return File(
        options={"active": (top, left, HEIGHT, WIDTH), **options},
        active=(top, left),
        shown=((top + 1) // 2 * 2, (left + 1) // 2 * 2),
    )


def bits(count: int, **options: Any) -> File:
    """Packed numbers."""
    values = VALUES >> (14 - count)
    return File(
        options={"bits": count, "black": (1, 2, 3, 4), "tags": {WHITE_LEVEL: None}, **options},
        written=values,
        values=values,
        black=lambda row, column: 1 + row % 2 * 2 + column % 2,
        white=2**count - 1,
    )


def plain(**options: Any) -> File:
    return File(options=options)


FILES: dict[str, File] = {
    "black 1x1": pattern(1, 1),
    "black 1x2": pattern(1, 2),
    "black 2x1": pattern(2, 1),
    "black 2x2": pattern(2, 2),
    "black 1x4": pattern(1, 4),
    "black 4x4": pattern(4, 4),
    "black 3x5": pattern(3, 5),
    "black 6x6": pattern(6, 6),
    "black 8x8, rational": pattern(8, 8, kind=RATIONAL, step=0.25),
    "black, signed": pattern(2, 2, kind=SRATIONAL, step=-201.5),
    "black, float": pattern(2, 2, kind=FLOAT, step=0.5),
    "black, double": pattern(2, 2, kind=DOUBLE, step=0.5),
    "black, short": plain(tags={BLACK: (SHORT, FOUR)}),
    "black, four equal ones without a pattern": File(
        options={"tags": {BLACK_DIM: None, BLACK: (LONG, (512,) * 4)}}, black=lambda row, column: 512
    ),
    "black of rows and columns": lines(),
    "black of rows": File(
        options={"tags": {OF_V: (SRATIONAL, OF_ROWS)}},
        added=lambda row, column: OF_ROWS[row],
        added_most=OF_ROWS.max(),
    ),
    "black of rows and columns, big-endian": lines(order=">"),
    "black beside masked areas": plain(tags={50830: (LONG, (0, 0, 4, WIDTH))}),
    "black in the first directory": plain(
        inside=True, tags={BLACK: None, BLACK_DIM: None}, first={BLACK_DIM: (SHORT, (2, 2)), BLACK: (LONG, FOUR)}
    ),
    "black in both directories": plain(inside=True, first={BLACK: (LONG, (9,))}),
    "active area, even": active(2, 4),
    "active area, an odd row": active(1, 0),
    "active area, an odd column": active(0, 1, pattern="GBRG"),
    "active area, both odd": active(3, 5, pattern="BGGR"),
    "within a thumbnail's directory": pattern(4, 4, inside=True),
    "within a thumbnail's directory, big-endian": pattern(4, 4, inside=True, order=">"),
    "tiles": plain(tile=(16, 16)),
    "strips": plain(strip=7),
    "10 bits": bits(10),
    "12 bits, tiles": bits(12, tile=(16, 32)),
    "14 bits, strips, big-endian": bits(14, strip=9, order=">"),
    "8 bits": bits(8),
    "a crop for viewers": plain(tags={50719: (LONG, (3, 5)), 50720: (LONG, (20, 20))}),
    "a curve": File(options={"tags": {50712: (SHORT, CURVE.tolist())}}, written=VALUES >> 2, values=CURVE[VALUES >> 2]),
    "white, short": plain(tags={WHITE_LEVEL: (SHORT, (WHITE,))}),
    "white beyond 16 bits": File(
        options={"white": 131_070, "black": (0,) * 4}, black=lambda row, column: 0, white=131_070
    ),
    "the least that LibRaw reads": File(written=VALUES[:22, :22], values=VALUES[:22, :22]),
}


@pytest.mark.parametrize("name", FILES)
def test_every_number_means_what_the_tags_say(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    path = tmp_path / "photo.dng"
    write_dng(path, file.written, **{"black": FOUR, "white": WHITE, **file.options})
    photo = load_raw(path)
    np.testing.assert_allclose(photo.crop(photo.mosaic[..., None])[..., 0], file.mosaic(), rtol=0, atol=1e-7)


def test_black_of_masked_pixels_where_the_file_gives_none(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[:4] = 700
    path = tmp_path / "photo.dng"
    masked = {50830: (LONG, (0, 0, 4, WIDTH)), BLACK: None, BLACK_DIM: None}
    write_dng(path, values, white=WHITE, active=(4, 0, HEIGHT, WIDTH), tags=masked)
    np.testing.assert_allclose(load_raw(path).mosaic, (values[4:] - 700.0) / (WHITE - 700), rtol=0, atol=1e-7)


@pytest.mark.parametrize("filters", ["RGGB", "GRBG", "GBRG", "BGGR"])
@pytest.mark.parametrize("planes", [*permutations(range(3))])
def test_begins_with_red_whatever_the_order_of_planes(planes: tuple[int, ...], filters: str, tmp_path: Path) -> None:
    path, plane_order = tmp_path / "photo.dng", tmp_path / "planes.dng"
    write_dng(path, VALUES, pattern=filters)
    write_dng(plane_order, VALUES, pattern=filters, tags={50710: (BYTE, planes)})
    np.testing.assert_array_equal(load_raw(plane_order).mosaic, load_raw(path).mosaic)


def test_planes_that_libraw_does_not_develop(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(path, VALUES, tags={50710: (BYTE, (2, 1, 0))})
    message = r"its CFAPlaneColor \(tag 50710\) is blue, green, red; LibRaw develops no other order than red, green, "
    with pytest.raises(ValueError, match=message + "blue: write it in this one$"):
        develop_raw(path)


UNKNOWN_TO_LIBRAW = (
    "black 4x4",
    "black, signed",
    "black of rows and columns",
    "black beside masked areas",
    "active area, both odd",
    "white beyond 16 bits",
)


@pytest.mark.parametrize("name", UNKNOWN_TO_LIBRAW)
def test_libraw_develops_the_same_from_other_levels(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    path, plain = tmp_path / "photo.dng", tmp_path / "plain.dng"
    write_dng(path, file.written, **{"black": FOUR, "white": WHITE, **file.options})
    photo = load_raw(path)
    mosaic = np.clip(photo.crop(photo.mosaic[..., None])[..., 0], 0, 1)
    assert photo.border == ((0, 0), (0, 0))  # it begins with red
    white = min(file.white, 65535)
    write_dng(plain, np.rint(mosaic * white).astype(np.uint16), white=white)
    np.testing.assert_array_equal(develop_raw(path), develop_raw(plain))

"""DNGs that say what is not understood, or contradict themselves: one line that names the tag and the way out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import ASCII, BYTE, FLOAT, LONG, SHORT, SRATIONAL, write_dng

HEIGHT, WIDTH, WHITE = 40, 60, 16000
VALUES = np.random.default_rng(0).integers(400, WHITE, (HEIGHT, WIDTH)).astype(np.uint16)
OF_ROWS, OF_COLUMNS = np.arange(HEIGHT) / 4, np.arange(WIDTH) / 8

BLACK, OF_H, OF_V, WHITE_LEVEL = 50714, 50715, 50716, 50717

CONVERT = "; convert it with Adobe DNG Converter"
CAMERA = "; give a photo of a camera with a Bayer sensor"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "three levels of black": (
        {"tags": {BLACK: (LONG, (1, 2, 3))}},
        "its BlackLevel (tag 50714) has 3 values where BlackLevelRepeatDim (tag 50713) is 2x2" + CONVERT,
    ),
    "a text for black": (
        {"tags": {BLACK: (ASCII, "black")}},
        "its BlackLevel (tag 50714) holds no finite numbers" + CONVERT,
    ),
    "infinite black": (
        {"tags": {BLACK: (FLOAT, (float("inf"),) * 4)}},
        "its BlackLevel (tag 50714) holds no finite numbers" + CONVERT,
    ),
    "a column short": (
        {"tags": {OF_H: (SRATIONAL, OF_COLUMNS[1:])}},
        "its BlackLevelDeltaH (tag 50715) has 59 values for 60 columns of the active area" + CONVERT,
    ),
    "rows of the whole sensor": (
        {"active": (2, 2, HEIGHT, WIDTH), "tags": {OF_V: (SRATIONAL, OF_ROWS)}},
        "its BlackLevelDeltaV (tag 50716) has 40 values for 38 rows of the active area" + CONVERT,
    ),
    "two whites": (
        {"tags": {WHITE_LEVEL: (LONG, (WHITE, WHITE - 1))}},
        "its WhiteLevel (tag 50717) has 2 values, one is needed" + CONVERT,
    ),
    "an active area beyond the sensor": (
        {"active": (0, 0, HEIGHT + 2, WIDTH)},
        "its ActiveArea (tag 50829) is 0, 0, 42, 60, which is no part of 40x60 pixels" + CONVERT,
    ),
    "no width": ({"tags": {256: (LONG, (0,))}}, "its ImageWidth (tag 256) is 0; it must lie in [1, 65535]" + CONVERT),
    "a turned sensor": (
        {"tags": {50711: (SHORT, (2,))}},
        "its CFALayout (tag 50711) is 2, a turned sensor; 1 is needed" + CAMERA,
    ),
    "two samples": (
        {"tags": {277: (SHORT, (2,))}},
        "its SamplesPerPixel (tag 277) is 2, a mosaic of one is needed" + CAMERA,
    ),
    "signed numbers": (
        {"tags": {339: (SHORT, (2,))}},
        "its SampleFormat (tag 339) is 2; 1, unsigned, or 3, floats, are needed" + CONVERT,
    ),
    "strips with gaps": (
        {"strip": 10, "gap": 2},
        "its StripOffsets (tag 273) tells of strips that do not lie one behind the other, as LibRaw reads them"
        + CONVERT,
    ),
    "a filter of another size": (
        {"tags": {33421: (SHORT, (3, 2))}},
        "its CFAPattern (tag 33422) has 4 values where CFARepeatPatternDim (tag 33421) is 3x2" + CONVERT,
    ),
    "a filter that LibRaw reads in another way": (
        {"tags": {33421: (SHORT, (2, 4)), 33422: (BYTE, (0, 1, 0, 1, 1, 2, 1, 2))}},
        "LibRaw reads its CFAPattern (tag 33422) in another way than the DNG specification" + CONVERT,
    ),
    "red, clear, clear, blue": (
        {"tags": {33422: (BYTE, (0, 6, 6, 2)), 50710: (BYTE, (0, 6, 2))}},
        "its CFAPattern (tag 33422) has white; only red, green and blue are understood" + CAMERA,
    ),
    "cyan, magenta, yellow, green": (
        {"tags": {33422: (BYTE, (1, 4, 3, 5)), 50710: (BYTE, (1, 4, 3, 5))}},
        "its CFAPattern (tag 33422) has cyan, magenta, yellow; only red, green and blue are understood" + CAMERA,
    ),
    "a fourth plane": (
        {"tags": {50710: (BYTE, (0, 1, 2, 9))}},
        "its CFAPlaneColor (tag 50710) has 9; only red, green and blue are understood" + CAMERA,
    ),
    "planes of one colour": (
        {"tags": {50710: (BYTE, (1,))}},
        "its CFAPlaneColor (tag 50710) is green; red, green and blue are needed" + CAMERA,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_name(name: str, tmp_path: Path) -> None:
    options, message = REFUSED[name]
    path = tmp_path / "photo.dng"
    write_dng(path, VALUES, **options)
    for read in (load_raw, develop_raw):
        with pytest.raises(ValueError, match=f"^{re.escape(f'{path}')}: {re.escape(message)}$"):
            read(path)


@pytest.mark.parametrize("filters", [(0, 1, 1, 0), (0, 2, 1, 1), (1, 1, 1, 1)])
def test_red_and_blue_lie_at_opposite_corners(filters: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(path, VALUES, tags={33422: (BYTE, filters)})
    with pytest.raises(ValueError, match="comes from a sensor with neither a Bayer nor an X-Trans filter"):
        load_raw(path)


@pytest.mark.parametrize(("height", "width"), [(16, 24), (24, 16), (21, 60), (2, 2)])
def test_says_what_is_too_small_for_libraw(height: int, width: int, tmp_path: Path) -> None:
    path, cut = tmp_path / "photo.dng", tmp_path / "active.dng"
    write_dng(path, VALUES[:height, :width])
    write_dng(cut, VALUES, active=(0, 0, height, width))
    for small in (path, cut):
        message = (
            f"{small} has {height}x{width} pixels; LibRaw reads DNGs of 22x22 and more: give the photo that it was"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)} cut from$"):
            load_raw(small)


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "a tag beyond the end": lambda data: data.replace(b"\x1a\xc6\x04\0\x04\0\0\0", b"\x1a\xc6\x04\0\xff\xff\xff\0"),
    "a tag of no type": lambda data: data.replace(b"\x1a\xc6\x04\0\x04\0\0\0", b"\x1a\xc6\x63\0\x04\0\0\0"),
    "a tag twice": lambda data: data.replace(b"\x1e\xc6", b"\x1a\xc6"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_tags_are_not_left_out(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(path, VALUES, black=(500, 520, 540, 560))
    whole = path.read_bytes()
    path.write_bytes(DAMAGED[name](whole))
    assert path.read_bytes() != whole
    with pytest.raises(ValueError, match=r"photo.dng is a DNG whose tags are damaged; copy it from the camera anew$"):
        load_raw(path)

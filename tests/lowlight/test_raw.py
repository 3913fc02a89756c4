import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image

from bnnhw.lowlight import filters
from bnnhw.lowlight.filters import XTRANS
from bnnhw.lowlight.mosaic import pack
from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import ASCII, BYTE, Tags, write_dng

BLACK, WHITE = (500, 510, 520, 530), 16000
BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")
CAMERA: Tags = {50706: None, 50708: None, 271: (ASCII, "Nikon")}
"""Makes a camera's own file of a DNG: without DNGVersion, its levels are LibRaw's matter."""


def random_values(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(400, WHITE, (height, width)).astype(np.uint16)


@pytest.mark.parametrize("first", [None, CAMERA], ids=["DNG", "camera"])
@pytest.mark.parametrize("pattern", BAYER)
@pytest.mark.parametrize("size", [(40, 60), (41, 61), (40, 61), (23, 24)])
def test_every_order_and_size_begins_with_red(
    pattern: str, size: tuple[int, int], first: Tags | None, tmp_path: Path
) -> None:
    values = random_values(*size)
    path = tmp_path / "photo.dng"
    write_dng(path, values, pattern=pattern, black=BLACK, white=WHITE, first=first)
    photo = load_raw(path)
    rows, columns = np.indices(size)
    position = rows % 2 * 2 + columns % 2
    black = np.array(BLACK)[position]
    expected = (values - black) / (WHITE - black)
    assert photo.mosaic.dtype == np.float32
    np.testing.assert_allclose(photo.crop(photo.mosaic[..., None])[..., 0], expected, rtol=1e-6)
    letters = np.array(list(pattern))[position]
    padded = np.pad(letters, photo.border, mode="reflect")
    assert [[set(padded[row::2, column::2].flat) for column in (0, 1)] for row in (0, 1)] == [
        [{"R"}, {"G"}],
        [{"G"}, {"B"}],
    ]
    np.testing.assert_array_equal(photo.mosaic, photo.pad(photo.crop(photo.mosaic[..., None]))[..., 0])
    assert not any(length % 2 for length in photo.mosaic.shape)
    assert max(map(max, photo.border)) <= 1


@pytest.mark.parametrize("pattern", BAYER)
def test_leaves_the_masked_border_out(pattern: str, tmp_path: Path) -> None:
    values = random_values(40, 60)
    path = tmp_path / "photo.dng"
    write_dng(path, values, pattern=pattern, black=BLACK, white=WHITE, active=(4, 6, 38, 58))
    inside = tmp_path / "inside.dng"
    write_dng(inside, values[4:38, 6:58], pattern=pattern, black=BLACK, white=WHITE)
    np.testing.assert_array_equal(load_raw(path).mosaic, load_raw(inside).mosaic)
    assert develop_raw(path).shape == (34, 52, 3)


def test_a_masked_border_may_be_odd(tmp_path: Path) -> None:
    values = np.tile(np.array([[9000, 2000], [2000, 4000]], np.uint16), (20, 30))  # red is brightest
    path = tmp_path / "photo.dng"
    write_dng(path, np.pad(values, ((3, 0), (5, 0))), white=WHITE, active=(3, 5, 43, 65))
    mosaic = load_raw(path).mosaic * WHITE
    assert {round(float(value)) for value in mosaic[::2, ::2].flat} == {9000}
    assert {round(float(value)) for value in mosaic[1::2, 1::2].flat} == {4000}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_as_the_camera_was_held(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(path, random_values(40, 60), orientation=orientation)
    with rawpy.imread(str(path)) as raw:
        expected = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16)
    turned = load_raw(path).turn(develop_raw(path))
    np.testing.assert_array_equal(np.rint(turned * 65535), expected)


def test_brightness_multiplies_light(tmp_path: Path) -> None:
    path, brighter = tmp_path / "photo.dng", tmp_path / "brighter.dng"
    write_dng(path, np.full((40, 60), 100, np.uint16))
    write_dng(brighter, np.full((40, 60), 1000, np.uint16))
    assert develop_raw(path).mean() < develop_raw(brighter).mean() / 5
    np.testing.assert_allclose(develop_raw(path, brightness=10), develop_raw(brighter), atol=1e-3)


XTRANS_DNG = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"


@pytest.mark.parametrize("shift", [(0, 0), (0, 5), (1, 0), (2, 4), (3, 3), (4, 1), (5, 2)])
def test_any_phase_of_x_trans_begins_as_the_filter_does(shift: tuple[int, int], tmp_path: Path) -> None:
    """Each colour in its channels; the picture is as large as the sensor."""
    colours = np.roll(XTRANS.colours, shift, (0, 1))
    path = tmp_path / "photo.dng"
    values = np.tile(colours, (9, 9))[:50, :52] * 1000 + 1000
    write_dng(path, values.astype(np.uint16), pattern="".join("RGB"[colour] for colour in colours.flat))
    photo = load_raw(path, XTRANS)
    assert photo.filters is XTRANS
    assert all(0 <= rows < 6 for rows in np.ravel(photo.border))
    assert all(length % 6 == 0 for length in photo.mosaic.shape)
    reds, greens, blues = (
        np.rint(pack(photo.mosaic, XTRANS)[channels] * 16383) for channels in ([0, 3], [1, 5, 6, 7, 8], [2, 4])
    )
    assert ({*reds.flat}, {*greens.flat}, {*blues.flat}) == ({1000}, {2000}, {3000})
    shown = photo.crop(photo.mosaic[..., None])[..., 0]
    np.testing.assert_array_equal(np.rint(shown * 16383), values)


def test_x_trans_is_developed_from_512_pixels_on(tmp_path: Path) -> None:
    values = np.tile(np.roll(XTRANS.colours, (2, 3), (0, 1)), (86, 88))[:513, :526] * 1000 + 1000
    path = tmp_path / "photo.dng"
    write_dng(path, values.astype(np.uint16), pattern="".join("RGB"[(v - 1000) // 1000] for v in values[:6, :6].flat))
    picture = develop_raw(path)
    assert picture.shape == (513, 526, 3)
    write_dng(tmp_path / "bayer.dng", np.tile([[1000, 2000], [2000, 3000]], (20, 20)).astype(np.uint16))
    same = develop_raw(tmp_path / "bayer.dng")[20, 20]
    np.testing.assert_allclose(picture[100:400, 100:400], np.broadcast_to(same, (300, 300, 3)), atol=2e-3)
    write_dng(path, values[:511].astype(np.uint16), pattern=XTRANS_DNG)
    with pytest.raises(ValueError, match=r"has 511x526 pixels; LibRaw develops X-Trans mosaics of 512x512 and more: "):
        develop_raw(path)


def test_a_photo_of_another_filter_is_refused(tmp_path: Path) -> None:
    write_dng(tmp_path / "fuji.dng", random_values(48, 60), pattern=XTRANS_DNG)
    write_dng(tmp_path / "sony.dng", random_values(48, 60))
    with pytest.raises(ValueError, match=r"fuji\.dng comes from a sensor .* of X-Trans, where Bayer is needed: "):
        load_raw(tmp_path / "fuji.dng", filters.BAYER)
    with pytest.raises(ValueError, match=r"sony\.dng comes .* of Bayer, where X-Trans is needed: .* mosaics of Bayer$"):
        load_raw(tmp_path / "sony.dng", XTRANS)


def write_linear(path: Path) -> None:
    tags = [(50706, 1, 4, bytes((1, 4, 0, 0)), True), (50708, 2, 0, "Made up", True)]
    tifffile.imwrite(path, np.zeros((40, 60, 3), np.uint16), photometric="linear_raw", metadata=None, extratags=tags)


def write_truncated(path: Path) -> None:
    write_dng(path, random_values(40, 60))
    path.write_bytes(path.read_bytes()[:3000])


NO_RAW = r"no raw file that LibRaw \d+\.\d+\.\d+ reads, or it is damaged; give a DNG, ARW, .* Adobe DNG Converter"
NO_FILTER = "comes from a sensor with neither a Bayer nor an X-Trans filter; 2x2 red, .*: give a photo of such a camera"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), f"is {NO_RAW}"),
    "text": (lambda path: path.write_text("no photo"), f"is {NO_RAW}"),
    "a picture": (lambda path: Image.new("RGB", (30, 20)).save(path, "JPEG"), f"is {NO_RAW}"),
    "truncated": (write_truncated, f"is {NO_RAW}"),
    "six by six": (
        lambda path: write_dng(path, random_values(48, 60), pattern=XTRANS_DNG[18:] + XTRANS_DNG[18:]),
        NO_FILTER,
    ),
    "quad": (
        lambda path: write_dng(path, random_values(48, 60), pattern="RRGGRRGGGGBBGGBB"),
        NO_FILTER,
    ),
    "a camera's other colours": (
        lambda path: write_dng(path, random_values(48, 60), first=CAMERA, tags={33422: (BYTE, (1, 4, 3, 5))}),
        NO_FILTER,
    ),
    "a camera's reds beside blues": (
        lambda path: write_dng(path, random_values(48, 60), first=CAMERA, tags={33422: (BYTE, (0, 2, 1, 1))}),
        NO_FILTER,
    ),
    "demosaiced": (write_linear, "has no colour filter over its pixels .* a Bayer or X-Trans mosaic is needed: .*"),
    "white below black": (
        lambda path: write_dng(path, random_values(40, 60), black=(900, 900, 900, 900), white=800),
        "says that white is 800 and black 900; white must be greater: convert it with Adobe DNG Converter",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_says_what_is_wrong(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, message = BAD[kind]
    path = tmp_path / "bad.dng"
    make(path)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} {message}$"):
        load_raw(path)


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write_dng(path, random_values(40, 60), scale=(2.0, 1.0))
    with pytest.raises(ValueError, match=r"LibRaw makes \d+x\d+ pixels of 60x40, so its pixels are not square"):
        develop_raw(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_raw(tmp_path / "nothing.dng")
    with pytest.raises(IsADirectoryError):
        develop_raw(tmp_path)

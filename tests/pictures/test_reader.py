import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from PIL import Image

from bnnhw.pictures.errors import PictureNote
from bnnhw.pictures.reader import read_picture
from bnnhw.pictures.source import Body, Source

from .files import FILES, File, pillow, pypng, text, tiff


def read(path: Source, channels: int, **options: Any) -> tuple[np.ndarray, int, list[str]]:
    """(pixels, white, notes)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = read_picture(path, channels=channels, **options)
    assert all(isinstance(warning.message, PictureNote) for warning in caught)
    return picture.pixels, picture.white, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_shows_what_was_put_into_it(file: File, tmp_path: Path) -> None:
    path = tmp_path / file.name
    file.write(path)
    wanted = file.pixels if file.pixels.ndim == 3 else np.repeat(file.pixels[..., None], 3, axis=2)
    pixels, white, notes = read(path, 3)
    assert (pixels.tolist(), white) == (wanted.tolist(), file.white)
    assert [file.note in note for note in notes if file.note] == [True] * (file.note is not None)
    at_hand = read(Body(path.read_bytes(), str(path)), 3)
    assert (at_hand[0].tolist(), *at_hand[1:]) == (pixels.tolist(), white, notes)
    grey, _, _ = read(path, 1)
    red, green, blue = (wanted[..., channel].astype(int) for channel in range(3))
    assert grey[..., 0].tolist() == ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).tolist()


def test_grey_is_pillows(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    image.save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png", 1)[0][..., 0] == np.asarray(image.convert("L"))).all()


def test_sixteen_bits_of_an_eight_bit_picture_are_257_times_it(tmp_path: Path) -> None:
    every = np.arange(256, dtype=np.uint16).reshape(16, 16)
    pypng(every * 257, bitdepth=16)(tmp_path / "a.png")
    pixels, white, _ = read(tmp_path / "a.png", 1)
    assert (np.rint(pixels[..., 0] * (255 / white)) == every).all()


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOURS = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)

UPRIGHT = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}
"""What is seen of a file that holds 1 2 3 and 4 5 6, by its orientation."""


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def deep_png(path: Path, array: np.ndarray, orientation: int) -> None:
    """EXIF stands in a chunk of its own, before the pixels."""
    pypng(array.astype(np.uint16) * 257, bitdepth=16)(path)
    with path.open("rb") as file:
        chunks = list(png.Reader(file=file).chunks())
    chunks.insert(1, (b"eXIf", exif(orientation).removeprefix(b"Exif\0\0")))
    with path.open("wb") as file:
        png.write_chunks(file, chunks)


def deep_tiff(path: Path, array: np.ndarray, orientation: int) -> None:
    colours = np.repeat(array[..., None].astype(np.uint16) * 257, 3, axis=2)
    tifffile.imwrite(path, colours, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])


def by_pillow(path: Path, array: np.ndarray, orientation: int, **options: Any) -> None:
    Image.fromarray(array).save(path, exif=exif(orientation), **options)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("name", "write", "options"),
    [
        ("a.png", by_pillow, {}),
        ("a.jpg", by_pillow, {"quality": 100}),
        ("a.tif", by_pillow, {}),
        ("lzw.tif", by_pillow, {"compression": "tiff_lzw"}),
        ("a.webp", by_pillow, {"lossless": True}),
        ("deep.png", deep_png, {}),
        ("deep.tif", deep_tiff, {}),
    ],
)
def test_pictures_are_turned_upright(
    name: str, write: Callable[..., None], options: dict[str, Any], orientation: int, tmp_path: Path
) -> None:
    blocks = np.kron(np.array(UPRIGHT[1], np.uint8) * 40, np.ones((16, 16), np.uint8))  # whole blocks of a JPEG
    write(tmp_path / name, blocks, orientation, **options)
    pixels, white, notes = read(tmp_path / name, 1)
    assert np.rint(pixels[8::16, 8::16, 0] * (255 / 40 / white)).tolist() == UPRIGHT[orientation]
    assert (pixels.shape[0] > pixels.shape[1], notes) == (orientation in (5, 6, 7, 8), [])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_turns_nothing(orientation: int, tmp_path: Path) -> None:
    by_pillow(tmp_path / "a.png", GREY, orientation)
    assert read(tmp_path / "a.png", 1)[0][..., 0].tolist() == GREY.tolist()


def test_damaged_exif_turns_nothing_and_is_noted(tmp_path: Path) -> None:
    Image.new("L", (16, 32), 9).save(tmp_path / "a.png", exif=b"Exif\0\0nothing of the kind")
    pixels, _, notes = read(tmp_path / "a.png", 1)
    assert pixels.shape == (32, 16, 1)
    assert notes == [f"{tmp_path / 'a.png'}: its EXIF data are damaged; it is not turned"]


def lzw_16(path: Path) -> None:
    """Says that its 16 bits a colour are compressed by LZW."""
    tifffile.imwrite(path, COLOURS.astype(np.uint16), photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].aspage().tags[259].overwrite(5)


def frames(path: Path) -> None:
    Image.fromarray(GREY).save(path, save_all=True, append_images=[Image.fromarray(255 - GREY)])


FLOATS, INTEGERS = "holds floating-point numbers, .*", "holds 32-bit or signed integers, .*"
NO_IMAGE, UNUSUAL = (
    "is no image that can be read; give a PNG, JPEG, .*",
    "is a damaged TIFF, or one of an unusual kind; .*",
)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("float.tif", pillow(GREY.astype(np.float32)), FLOATS),
        ("float.pfm", pillow(GREY.astype(np.float32)), FLOATS),
        ("32.tif", pillow(GREY.astype(np.int32)), INTEGERS),
        ("unsigned-32.tif", tiff(GREY.astype(np.uint32)), INTEGERS),
        ("signed-16.tif", tiff(GREY.astype(np.int16)), INTEGERS),
        ("signed-8.tif", tiff(GREY.astype(np.int8)), INTEGERS),
        ("half.tif", tiff(GREY.astype(np.float16)), UNUSUAL),
        ("double.tif", tiff(GREY.astype(np.float64)), UNUSUAL),
        ("float-rgb.tif", tiff(COLOURS.astype(np.float32), photometric="rgb"), UNUSUAL),
        ("32-rgb.tif", tiff(COLOURS.astype(np.uint32), photometric="rgb"), UNUSUAL),
        ("cut.tif", lambda path: path.write_bytes(b"II*\0\x08\0\0\0\xff"), UNUSUAL),
        ("lab.tif", pillow(COLOURS, "LAB"), r"holds colours in L\*a\*b\*, .*"),
        ("lzw.tif", lzw_16, "is a TIFF of 16 bits a colour whose compression, LZW, is not read here; save it .*"),
        ("two.tif", frames, "holds 2 pictures; save the one that is meant as a PNG"),
        ("two.gif", frames, "holds 2 pictures; .*"),
        ("two.webp", frames, "holds 2 pictures; .*"),
        ("two.png", frames, "holds 2 pictures; .*"),
        ("a.eps", pillow(COLOURS), NO_IMAGE),
        ("a.jp2", pillow(COLOURS), NO_IMAGE),
        ("text.png", text("no picture", GREY[:0]), NO_IMAGE),
        ("bomb.png", text("\x89PNG\r\n\x1a\n", GREY), NO_IMAGE),
    ],
)
def test_what_has_no_one_meaning_is_refused(
    name: str, write: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / name))} {message}$"):
        read_picture(tmp_path / name, channels=1)


def read_or_refuse(path: Path, file: File) -> np.ndarray | None:
    """The pixels of a file of that size, or None where it is refused."""
    try:
        pixels, white, _ = read(path, 3, size=file.pixels.shape[:2])
    except ValueError as error:
        message = str(error)
        assert message.startswith(f"{path} ")
        return None
    assert pixels.max() <= white
    return pixels


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_damaged_file_is_refused_or_has_other_pixels(
    file: File, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / file.name
    file.write(path)
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    for places in (1, 2, 5):
        damaged = bytearray(sound)
        for place in rng.integers(0, len(sound), places):
            damaged[place] = int(rng.integers(256))
        path.write_bytes(bytes(damaged))
        read_or_refuse(path, file)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_cut_file_is_refused_or_whole(file: File, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / file.name
    file.write(path)
    sound, whole = path.read_bytes(), read(path, 3)[0]
    for length in np.random.default_rng(0).integers(0, len(sound), 5):
        path.write_bytes(sound[:length])
        pixels = read_or_refuse(path, file)
        assert pixels is None or (pixels == whole).all()
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "none.png", channels=1)
    with pytest.raises(IsADirectoryError):
        read_picture(tmp_path, channels=1)


def test_another_size_is_said_before_anything_is_unpacked(tmp_path: Path) -> None:
    pillow(GREY)(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(ValueError, match=r"a\.png is 4x3 pixels; the network takes 8x9: resize it first$"):
        read_picture(tmp_path / "a.png", channels=1, size=(9, 8))


def test_the_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    by_pillow(tmp_path / "a.png", GREY, 6)
    assert read_picture(tmp_path / "a.png", channels=1, size=(4, 3)).pixels.shape == (4, 3, 1)
    with pytest.raises(ValueError, match=r"a\.png is 3x4 pixels; the network takes 4x3: resize it first$"):
        read_picture(tmp_path / "a.png", channels=1, size=(3, 4))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """16 gigapixels in a header of a few bytes."""
    header = struct.pack(">IIBBBBB", 1 << 17, 1 << 17, 16, 2, 0, 0, 0)
    with (tmp_path / "a.png").open("wb") as file:
        png.write_chunks(file, [(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")])
    with pytest.raises(ValueError, match="is no image that can be read"):
        read_picture(tmp_path / "a.png", channels=3)

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.lowlight.mosaic import pack
from bnnhw.lowlight.photo import linear_to_srgb, load_photo, photo_mosaic, srgb_to_linear
from bnnhw.pictures.errors import PictureNote


def test_srgb_by_the_standard() -> None:
    values = np.array([0, 0.04045, 0.5, 1], np.float32)
    np.testing.assert_allclose(srgb_to_linear(values), [0, 0.0031308, 0.2140411, 1], rtol=1e-4)
    every = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(every)), every, atol=1e-6)


def test_a_grey_photo_is_darker_in_red_and_blue() -> None:
    mosaic = photo_mosaic(np.full((6, 8, 3), 0.5, np.float32))
    assert pack(mosaic).mean(axis=(1, 2)) == pytest.approx([0.2140411 / 2, 0.2140411, 0.2140411 / 1.6, 0.2140411])


def test_each_pixel_keeps_its_own_colour() -> None:
    picture = np.random.default_rng(0).random((4, 6, 3), np.float32)
    light = srgb_to_linear(picture)
    mosaic = photo_mosaic(picture)
    assert mosaic[2, 4] == pytest.approx(light[2, 4, 0] / 2)
    assert mosaic[2, 3] == pytest.approx(light[2, 3, 1])
    assert mosaic[1, 4] == pytest.approx(light[1, 4, 1])
    assert mosaic[1, 3] == pytest.approx(light[1, 3, 2] / 1.6)


def test_loads_pictures_of_every_kind(tmp_path: Path) -> None:
    Image.new("L", (7, 5), 51).save(tmp_path / "grey.png")
    assert load_photo(tmp_path / "grey.png").shape == (4, 6, 3)
    assert load_photo(tmp_path / "grey.png")[0, 0].tolist() == pytest.approx([0.2] * 3)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    Image.fromarray(np.array([[12345, 65535], [0, 257]], np.uint16)).save(tmp_path / "deep.png")
    wanted = np.array([[12345, 65535], [0, 257]], np.float32) / np.float32(65535)
    assert (load_photo(tmp_path / "deep.png") == wanted[..., None]).all()


def test_photos_are_upright_and_on_white(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.array([[[0, 0]] * 4, [[0, 255]] * 4], np.uint8), "LA").save(tmp_path / "a.png", exif=turned)
    with pytest.warns(PictureNote, match="its transparent parts are seen on white"):
        assert load_photo(tmp_path / "a.png")[..., 0].tolist() == [[0, 1]] * 4


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut short"])
def test_says_what_is_no_picture(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"photo\.png is no image that can be read; give a PNG, JPEG, .*$"):
        load_photo(path)


def test_a_picture_of_one_row(tmp_path: Path) -> None:
    Image.new("RGB", (7, 1)).save(tmp_path / "row.png")
    with pytest.raises(ValueError, match=r"row\.png has 1x7 pixels; a 2x2 block of colours is needed$"):
        load_photo(tmp_path / "row.png")
    with pytest.raises(FileNotFoundError):
        load_photo(tmp_path / "nothing.png")

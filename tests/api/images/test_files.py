import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bnnhw.api.images.files import image_in, read_image, write_image


@pytest.mark.parametrize(
    ("dtype", "pixels", "lo", "hi", "wanted"),
    [
        (np.uint8, [0, 1, 128, 255], 0, 255, [0, 1, 128, 255]),
        (np.uint8, [0, 7, 8, 255], 0, 16, [0, 0, 1, 16]),
        (np.uint8, [0, 1, 128, 255], -128, 127, [-128, -127, 0, 127]),
        (np.uint8, [0, 127, 128, 255], 0, 1, [0, 0, 1, 1]),
        (np.uint8, [0, 1, 128, 255], 0, 65535, [0, 257, 32896, 65535]),
        (np.uint16, [0, 257, 32896, 65535], 0, 255, [0, 1, 128, 255]),
        (np.uint16, [128, 129, 385, 386], 0, 255, [0, 1, 1, 2]),
        (np.uint16, [0, 1, 40000, 65535], 0, 65535, [0, 1, 40000, 65535]),
        (np.uint16, [0, 1, 40000, 65535], -32768, 32767, [-32768, -32767, 7232, 32767]),
    ],
)
def test_pixels_are_scaled_to_the_networks_range(
    dtype: type, pixels: list[int], lo: int, hi: int, wanted: list[int], tmp_path: Path
) -> None:
    Image.fromarray(np.array([pixels], dtype)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", shape=(1, 4, 1), lo=lo, hi=hi)
    assert image.tolist() == np.array(wanted).reshape(1, 4, 1).tolist()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("lo", "hi"), [(0, 255), (0, 16), (0, 1), (-8, 7)])
def test_what_is_written_is_read_again(lo: int, hi: int, channels: int, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(lo, hi, (5, 4, channels), endpoint=True)
    write_image(tmp_path / "a.png", image, lo=lo, hi=hi)
    assert (read_image(tmp_path / "a.png", shape=image.shape, lo=lo, hi=hi) == image).all()


IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
GREY = IMAGE[..., :1]


@pytest.mark.parametrize("array", [IMAGE, np.asfortranarray(IMAGE), IMAGE.astype(">u2"), IMAGE.astype(np.int64)])
def test_arrays_of_integers_are_taken_as_they_are(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    (tmp_path / "a.npy").rename(tmp_path / "A.NPY")
    assert (read_image(tmp_path / "A.NPY", shape=(2, 4, 3), lo=0, hi=255) == IMAGE).all()


def test_bytes_at_hand_are_what_a_file_of_them_is(tmp_path: Path) -> None:
    """By what they begin with, pictures and arrays."""
    path = tmp_path / "a.npy"
    np.save(path, IMAGE)
    assert (image_in(path.read_bytes(), shape=IMAGE.shape, lo=0, hi=255) == IMAGE).all()
    write_image(path, IMAGE.astype(int), lo=0, hi=255)
    assert (image_in(path.read_bytes(), shape=IMAGE.shape, lo=0, hi=255) == IMAGE).all()


def test_an_array_that_says_it_is_immense_is_damaged() -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (1 << 50, 3)})
    with pytest.raises(ValueError, match=r"^the body is no numpy array of numbers; save it with numpy\.save$"):
        image_in(file.getvalue(), shape=(2, 4, 3), lo=0, hi=255)


@pytest.mark.parametrize(
    ("array", "shape", "way_out"),
    [
        (IMAGE.transpose(2, 0, 1), IMAGE.shape, ": save array.transpose(1, 2, 0)"),
        (IMAGE[None], IMAGE.shape, ": save array[0]"),
        (np.stack([IMAGE] * 5), IMAGE.shape, ": save array[0]"),
        (IMAGE.transpose(2, 0, 1)[None], IMAGE.shape, ": save array[0].transpose(1, 2, 0)"),
        (GREY[..., 0], GREY.shape, ": save array[..., None]"),
        (GREY[..., 0][None], GREY.shape, ": save array.transpose(1, 2, 0)"),
        (np.stack([GREY[..., 0]] * 5), GREY.shape, ": save array[0][..., None]"),
        (GREY > 5, GREY.shape, ": save array.astype(numpy.int64)"),
        (GREY[..., 0] > 5, GREY.shape, ": save array[..., None].astype(numpy.int64)"),
        (GREY / 255, GREY.shape, ": save, scaled to them, array.astype(numpy.int64)"),
        (IMAGE[:, :3], IMAGE.shape, ""),
        (np.arange(24), IMAGE.shape, ""),
    ],
)
def test_other_arrays_are_refused_with_the_way_out(
    array: np.ndarray, shape: tuple[int, ...], way_out: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(ValueError, match="network takes integers") as error:
        read_image(path, shape=shape, lo=0, hi=255)
    what = f"{array.dtype} {array.shape}"
    assert str(error.value) == f"{path} holds {what}; the network takes integers of shape {shape}{way_out}"
    if code := way_out.removeprefix(": save").removeprefix(", scaled to them,"):
        mended: Any = eval(code, {"array": array, "numpy": np})
        assert mended.shape == shape

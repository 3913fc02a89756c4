from pathlib import Path

import numpy as np
import png
import pytest
from PIL import Image

from bnnhw.lowlight.png import write_png


def picture() -> np.ndarray:
    return np.random.default_rng(0).random((5, 7, 3), np.float32)


def test_8_bits(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture(), bits=8)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(picture() * 255))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_16_bits(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture(), bits=16)
    width, height, rows, about = png.Reader(bytes=(tmp_path / "a.png").read_bytes()).read()
    assert (width, height, about["bitdepth"], about["planes"]) == (7, 5, 16, 3)
    np.testing.assert_array_equal(np.vstack([list(row) for row in rows]).reshape(5, 7, 3), np.rint(picture() * 65535))


def test_other_numbers_of_bits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^bits=12 must be 8 or 16$"):
        write_png(tmp_path / "a.png", picture(), bits=12)

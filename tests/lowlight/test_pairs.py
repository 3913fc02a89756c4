from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.lowlight.pairs import Bright, Exposures
from bnnhw.lowlight.photo import photo_mosaic
from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import write_dng


def raw_file(path: Path, *, height: int = 41, width: int = 60, pattern: str = "BGGR", light: int = 16383) -> Path:
    values = np.random.default_rng(0).integers(0, light, (height, width)).astype(np.uint16)
    write_dng(path, values, pattern=pattern)
    return path


def test_the_picture_lies_on_the_mosaic(tmp_path: Path) -> None:
    short, long = raw_file(tmp_path / "short.dng", light=200), raw_file(tmp_path / "long.dng")
    pair = Exposures(short=short, long=long, ratio=100.0).load()
    assert pair.mosaic.shape == pair.picture.shape[:2] == (42, 62)
    assert pair.ratio == 100
    np.testing.assert_array_equal(pair.mosaic, load_raw(short).mosaic)
    np.testing.assert_array_equal(load_raw(short).crop(pair.picture), develop_raw(long))


def test_bright_files_keep_their_mosaic(tmp_path: Path) -> None:
    path = raw_file(tmp_path / "photo.dng")
    pair = Bright(path=path).load()
    assert pair.ratio is None
    np.testing.assert_array_equal(pair.mosaic, load_raw(path).mosaic)
    np.testing.assert_array_equal(load_raw(path).crop(pair.picture), develop_raw(path))
    Image.effect_noise((20, 10), 40).save(tmp_path / "photo.PNG")
    pair = Bright(path=tmp_path / "photo.PNG").load()
    assert pair.ratio is None
    assert pair.picture.shape == (10, 20, 3)
    np.testing.assert_array_equal(pair.mosaic, photo_mosaic(pair.picture))


def test_files_of_two_cameras_do_not_fit(tmp_path: Path) -> None:
    short, long = raw_file(tmp_path / "short.dng"), raw_file(tmp_path / "long.dng", width=64)
    with pytest.raises(ValueError, match=r"short\.dng has 41x60 pixels and \S+long\.dng 41x64; both .* one camera$"):
        Exposures(short=short, long=long, ratio=100.0).load()


@pytest.mark.parametrize("ratio", [0.5, 301.0, float("nan")])
def test_ratios_that_cannot_be(ratio: float) -> None:
    with pytest.raises(ValueError, match=rf"^ratio={ratio} must lie in \[1, 300\]$"):
        Exposures(short=Path("a"), long=Path("b"), ratio=ratio)

"""SVHN's cropped digits, MATLAB files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.data.svhn import read_svhn

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
LABELS = np.array([[1], [10], [9], [10]], np.uint8)


def write(path: Path, **content: np.ndarray) -> Path:
    savemat(path, {"X": IMAGES, "y": LABELS} | content)
    return path


def test_ten_is_a_zero(tmp_path: Path) -> None:
    images, labels = read_svhn(write(tmp_path / "train_32x32.mat"))
    assert labels.tolist() == [1, 0, 9, 0]
    assert np.array_equal(images[2], IMAGES[..., 2])


@pytest.mark.parametrize("extra", [False, True])
def test_the_data_set(tmp_path: Path, extra: bool) -> None:
    for part in ("train", "test", *(["extra"] if extra else [])):
        write(tmp_path / f"{part}_32x32.mat")
    data = load_data_set("svhn", data_dir=tmp_path)
    assert (data.shape, data.lo, data.hi, data.classes[0]) == ((32, 32, 3), 0, 255, "0")
    assert (len(data.train_images), len(data.test_images)) == (8 if extra else 4, 4)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold train_32x32.mat of svhn; it does not$"):
        load_data_set("svhn", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X": IMAGES.astype(float)}, r"must hold X, uint8 \(32, 32, 3, N\), not float64 \(32, 32, 3, 4\)$"),
        ({"y": LABELS[:3]}, r"must hold y, \(N, 1\) labels from 1 to 10 for N=4, not \(3, 1\)$"),
        ({"y": LABELS * 2}, r"must hold y, \(N, 1\) labels from 1 to 10"),
    ],
)
def test_other_contents(tmp_path: Path, content: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_svhn(write(tmp_path / "test_32x32.mat", **content))


@pytest.mark.parametrize("keep", [0, 3, 100, 300, 5000])
def test_damaged_files(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "train_32x32.mat")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"train_32x32.mat is damaged or no MATLAB 5 file; fetch it again$"):
        read_svhn(path)

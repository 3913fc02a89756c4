import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
import requests

from bnnhw.model.data.datasets import load_data_set
from tests.model.toy import toy_data

FILES = {
    "train-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, *range(12)]),
    "train-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]),
    "t10k-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, *range(251, 255)]),
    "t10k-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 1, 0]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two of the files gzipped, two plain."""
    for number, (name, content) in enumerate(FILES.items()):
        if number % 2:
            (tmp_path / name).write_bytes(content)
        else:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    return tmp_path


def test_digits() -> None:
    data = load_data_set("digits")
    assert (data.train_images.shape, data.test_images.shape) == ((1437, 8, 8, 1), (360, 8, 8, 1))
    assert (data.lo, data.hi, data.shape, len(data.classes)) == (0, 16, (8, 8, 1), 10)
    assert np.bincount(data.test_labels).min() >= 34
    again = load_data_set("digits")
    assert np.array_equal(again.test_images, data.test_images)
    assert not {image.tobytes() for image in data.test_images} & {image.tobytes() for image in data.train_images}


@pytest.mark.parametrize(("name", "first_class"), [("mnist", "0"), ("fashion-mnist", "T-shirt/top")])
def test_idx_files_from_a_folder(folder: Path, name: str, first_class: str) -> None:
    data = load_data_set(name, data_dir=folder)
    assert data.train_images[..., 0].tolist() == np.arange(12).reshape(3, 2, 2).tolist()
    assert data.train_labels.tolist() == [7, 8, 9]
    assert (data.test_images.shape, data.test_labels.tolist()) == ((1, 2, 2, 1), [0])
    assert (data.name, data.lo, data.hi, data.classes[0]) == (name, 0, 255, first_class)


def test_the_folder_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNNHW_DATA_DIR", str(folder))
    assert load_data_set("mnist").shape == (2, 2, 1)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"must hold t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz of mnist"):
        load_data_set("mnist", data_dir=folder)


def test_an_unknown_name_lists_the_known_ones() -> None:
    known = "digits, mnist, fashion-mnist, cifar10, svhn"
    with pytest.raises(ValueError, match=rf"^unknown data set 'imagenet'; known ones are {known}$"):
        load_data_set("imagenet")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("error", [requests.ConnectionError("no route"), ValueError("wrong hash"), OSError("full")])
def test_without_a_network_the_way_by_hand_is_told(
    name: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.delenv("BNNHW_DATA_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fail)
    with pytest.raises(
        ValueError, match=rf"^cannot download https://.*train-images.* of {name} by hand .*as the data dir"
    ):
        load_data_set(name)


def test_a_download_is_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_other_bytes(self: Any, url: str, output_file: str, *rest: Any, **options: Any) -> None:
        Path(output_file).write_bytes(b"something else")

    monkeypatch.delenv("BNNHW_DATA_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", write_other_bytes)
    with pytest.raises(ValueError, match=r"^cannot download"):
        load_data_set("mnist")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": np.zeros((96, 4, 3, 1))}, r"train_images of toy must be uint8 \(N, H, W, C\), not float64"),
        ({"test_images": np.zeros((48, 12), np.uint8)}, r"test_images of toy must be uint8 \(N, H, W, C\), not uint8"),
        ({"train_labels": np.zeros(5, np.int64)}, "toy has 96 train images but 5 labels"),
        ({"hi": 100}, r"train_images of toy must lie in \[0, 100\], not \[0, 255\]"),
        ({"classes": ("a", "b")}, r"train_labels of toy must lie in \[0, 1\] for 2 classes, not \[0, 2\]"),
        ({"test_images": np.zeros((48, 4, 4, 1), np.uint8)}, r"share one shape, not \(4, 3, 1\) and \(4, 4, 1\)"),
    ],
)
def test_a_data_set_checks_itself(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(toy_data(), **change)

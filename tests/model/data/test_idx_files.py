import gzip
from pathlib import Path

import numpy as np
import pytest

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.data.idx_files import FILES, find_idx_files

DOTTED = tuple(file.replace("-idx", ".idx") for file in FILES)


def write(folder: Path, names: tuple[str, ...], content: bytes = b"") -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return paths


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize(
    "names",
    [
        FILES,
        tuple(f"{file}.gz" for file in FILES),
        DOTTED,
        tuple(f"{file}.gz" for file in DOTTED),
        tuple(f"{file}/{file}" for file in FILES),
        tuple(f"{file}/{file}" for file in DOTTED),
        (FILES[0], f"{FILES[1]}.gz", DOTTED[2], f"{FILES[3]}/{FILES[3]}"),
        tuple(f"raw/{file}" for file in FILES),
        tuple(f"raw/{file}.gz" for file in FILES),
    ],
)
def test_every_way_of_packing_them(name: str, names: tuple[str, ...], tmp_path: Path) -> None:
    paths = write(tmp_path / "data", names)
    assert find_idx_files(name, tmp_path / "data") == tuple(paths)


@pytest.mark.parametrize(("name", "place"), [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw")])
def test_torchvisions_folders_tell_the_sets_apart(name: str, place: str, tmp_path: Path) -> None:
    for folder in ("MNIST/raw", "FashionMNIST/raw", "."):
        write(tmp_path / folder, FILES)
    assert find_idx_files(name, tmp_path) == tuple(tmp_path / place / file for file in FILES)


def test_an_unfinished_folder_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "MNIST/raw", FILES[:2])
    whole = write(tmp_path, FILES)
    assert find_idx_files("mnist", tmp_path) == tuple(whole)


def test_the_other_set_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path / "MNIST/raw", FILES)
    with pytest.raises(ValueError, match=r"must hold train-images-idx3-ubyte or .* of fashion-mnist; it has neither$"):
        find_idx_files("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "train-images-idx3-ubyte or train-images-idx3-ubyte.gz of mnist; it has neither"),
        (FILES[:3], "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz of mnist; it has neither"),
        (DOTTED[1:], "train-images-idx3-ubyte or train-images-idx3-ubyte.gz of mnist; it has neither"),
        (
            ("mnist.npz", "notes.txt", "csv/mnist_train.csv"),
            "train-images-idx3-ubyte or train-images-idx3-ubyte.gz of mnist; it has neither; "
            "it has csv/mnist_train.csv, mnist.npz, which cannot stand for it",
        ),
        (
            (*FILES[:3], "t10k-labels-idx1-ubyte.zip"),
            "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz of mnist; it has neither; "
            "it has t10k-labels-idx1-ubyte.zip, which cannot stand for it",
        ),
    ],
)
def test_a_missing_file_is_named_and_what_there_is(names: tuple[str, ...], message: str, tmp_path: Path) -> None:
    write(tmp_path, names)
    with pytest.raises(ValueError, match="must hold") as error:
        find_idx_files("mnist", tmp_path)
    assert str(error.value) == f"{tmp_path} must hold {message}"


def test_kaggles_archive_is_a_data_set(tmp_path: Path) -> None:
    contents = (
        bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]),
        bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 8]),
        bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6]),
        bytes([0, 0, 8, 1, 0, 0, 0, 1, 9]),
    )
    for name, content in zip(DOTTED, contents, strict=True):
        write(tmp_path, (name,), content)
    write(tmp_path, (f"{FILES[0]}/{FILES[0]}",), gzip.compress(contents[0]))
    data = load_data_set("mnist", data_dir=tmp_path)
    assert (data.train_images.ravel().tolist(), data.train_labels.tolist()) == ([1, 2, 3, 4], [7, 8])
    assert np.array_equal(data.test_images, [[[[5], [6]]]])
    assert data.test_labels.tolist() == [9]

"""CIFAR-10's binary version, as files and as the archive."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from bnnhw.model.data.cifar import ARCHIVE, TEST, TRAIN, read_cifar10
from bnnhw.model.data.datasets import load_data_set


def record(label: int, seed: int) -> bytes:
    return bytes([label]) + np.random.default_rng(seed).integers(0, 256, 3072, dtype=np.uint8).tobytes()


FILES = {name: record(number, number) + record(9, 10 + number) for number, name in enumerate((*TRAIN, TEST))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cifar-10-batches-bin").mkdir()
    for name, content in FILES.items():
        (tmp_path / "cifar-10-batches-bin" / name).write_bytes(content)
    return tmp_path


def make_archive(folder: Path) -> Path:
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        archive.add(folder / "cifar-10-batches-bin", "cifar-10-batches-bin")
    return folder / ARCHIVE


@pytest.mark.parametrize("place", ["parent", "files", "archive", "folder of the archive"])
def test_every_place(folder: Path, place: str) -> None:
    archive = make_archive(folder)
    if place == "folder of the archive":
        for name in FILES:
            (folder / "cifar-10-batches-bin" / name).unlink()
    where = {"files": folder / "cifar-10-batches-bin", "archive": archive}.get(place, folder)
    images, labels, test_images, test_labels = read_cifar10(where)
    assert labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert test_labels.tolist() == [5, 9]
    planes = np.frombuffer(FILES[TRAIN[1]][1:3073], np.uint8).reshape(3, 32, 32)
    assert np.array_equal(images[2], planes.transpose(1, 2, 0))
    assert test_images.shape == (2, 32, 32, 3)


def test_the_data_set(folder: Path) -> None:
    data = load_data_set("cifar10", data_dir=folder)
    assert (data.shape, data.lo, data.hi, data.classes[9]) == ((32, 32, 3), 0, 255, "truck")
    assert (len(data.train_images), len(data.test_images)) == (10, 2)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"must hold {ARCHIVE}, or data_batch_1.bin, .* and test_batch.bin of cif"):
        read_cifar10(tmp_path)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"pickled")
    with pytest.raises(ValueError, match="it has the version for Python, whose pickles could run code"):
        read_cifar10(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must hold records of 3073 bytes and has 0 bytes; fetch it again"),
        (record(0, 0)[:-1], "must hold records of 3073 bytes and has 3072 bytes"),
        (record(10, 0), "must begin each record with a label below 10; one is 10"),
    ],
)
def test_damaged_files(folder: Path, content: bytes, message: str) -> None:
    (folder / "cifar-10-batches-bin" / TRAIN[2]).write_bytes(content)
    with pytest.raises(ValueError, match=f"^{TRAIN[2]} of .* {message}"):
        read_cifar10(folder)


def test_damaged_archives(folder: Path) -> None:
    archive = make_archive(folder)
    whole = archive.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"no archive", b""):
        archive.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{ARCHIVE} is damaged .*; fetch it again$"):
            read_cifar10(archive)
    with tarfile.open(archive, "w:gz") as empty:
        empty.add(folder / "cifar-10-batches-bin" / TEST, TEST)
    with pytest.raises(ValueError, match=r"must hold data_batch_1.bin, which it lacks; fetch it again$"):
        read_cifar10(archive)

"""Reading CIFAR-10's binary version: records of one byte of label and 3072 of image, planes R, G, B of 32x32 in raster
order, in six files or in the archive of them. https://www.cs.toronto.edu/~kriz/cifar.html

The version for Python holds pickles, which could run code, and is not read.
"""

import tarfile
import zlib
from pathlib import Path

import numpy as np

__all__ = ["ARCHIVE", "read_cifar10"]

ARCHIVE = "cifar-10-binary.tar.gz"
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"

_FOLDER = "cifar-10-batches-bin"
_CLASSES = 10
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32


def read_cifar10(place: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(training images uint8 (N, 32, 32, 3), their labels int64 (N,), test images, their labels).

    `place` is the archive, the folder that it lies in, or the folder that it unpacks to or that one's parent.
    ValueError if a file is missing or not as it should be.
    """
    contents = _contents(place)
    parts = [_parse(contents[name], f"{name} of {place}") for name in (*TRAIN, TEST)]
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images[:-1]), np.concatenate(labels[:-1]), images[-1], labels[-1]


def _contents(place: Path) -> dict[str, bytes]:
    """The bytes of the six files."""
    if place.is_file():
        return _archived(place)
    for folder in (place, place / _FOLDER):
        if all((folder / name).is_file() for name in (*TRAIN, TEST)):
            return {name: (folder / name).read_bytes() for name in (*TRAIN, TEST)}
    if (place / ARCHIVE).is_file():
        return _archived(place / ARCHIVE)
    pickles = any((place / folder / "data_batch_1").is_file() for folder in (".", "cifar-10-batches-py"))
    reason = "; it has the version for Python, whose pickles could run code and are not read" if pickles else ""
    raise ValueError(f"{place} must hold {ARCHIVE}, or {', '.join(TRAIN)} and {TEST} of cifar10{reason}")


def _archived(archive: Path) -> dict[str, bytes]:
    """The bytes of the six files in the archive, of which nothing is unpacked to disk."""
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as files:
            for member in files:
                name = Path(member.name).name
                if name in (*TRAIN, TEST) and (file := files.extractfile(member)):
                    contents[name] = file.read()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{archive} is damaged ({error}); fetch it again") from error
    if missing := [name for name in (*TRAIN, TEST) if name not in contents]:
        raise ValueError(f"{archive} must hold {missing[0]}, which it lacks; fetch it again")
    return contents


def _parse(content: bytes, what: str) -> tuple[np.ndarray, np.ndarray]:
    """(images, labels) of one file."""
    if not content or len(content) % _RECORD:
        raise ValueError(f"{what} must hold records of {_RECORD} bytes and has {len(content)} bytes; fetch it again")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= _CLASSES:
        raise ValueError(f"{what} must begin each record with a label below {_CLASSES}; one is {labels.max()}")
    return np.ascontiguousarray(records[:, 1:].reshape(-1, *_SHAPE).transpose(0, 2, 3, 1)), labels

"""The data sets that networks can be trained on by name.

- `digits`: 8x8 images with values 0 to 16, shipped with scikit-learn; a fifth, drawn once and for all, is the test set.
- `mnist`, `fashion-mnist`: 28x28 pixels, the official IDX files (gzipped or not, or as torchvision or Kaggle pack them)
  from a directory or downloaded.
- `cifar10`: 32x32 pixels of three colours, the official binary version.
- `svhn`: 32x32 pixels of three colours, the official cropped digits; `extra_32x32.mat`, if a directory has it, is
  learnt from, too.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .cifar import ARCHIVE, read_cifar10
from .download import fetch
from .idx import read_idx
from .idx_files import FILES, find_idx_files

__all__ = ["DATA_SETS", "DataSet", "load_data_set"]

FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DIGIT_CLASSES = tuple("0123456789")


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """Labelled images, split into those to learn from and those to judge by.

    Attributes
    ----------
    name : str
    train_images, test_images : uint8 array (N, H, W, C)
    train_labels, test_labels : int64 array (N,), indices into `classes`
    classes : tuple of str
    lo, hi : int
        The range that the pixels may take (not merely the one that occurs).
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    lo: int
    hi: int

    def __post_init__(self) -> None:
        for part, images, labels in (
            ("train", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
        ):
            if images.dtype != np.uint8 or images.ndim != 4:
                raise ValueError(
                    f"{part}_images of {self.name} must be uint8 (N, H, W, C), not {images.dtype} {images.shape}"
                )
            if labels.shape != images.shape[:1]:
                raise ValueError(f"{self.name} has {len(images)} {part} images but {len(labels)} labels")
            if not images.size:
                raise ValueError(f"{part}_images of {self.name} must not be empty, but are of shape {images.shape}")
            if not self.lo <= images.min() <= images.max() <= self.hi:
                raise ValueError(
                    f"{part}_images of {self.name} must lie in [{self.lo}, {self.hi}], "
                    f"not [{images.min()}, {images.max()}]"
                )
            if not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise ValueError(
                    f"{part}_labels of {self.name} must lie in [0, {len(self.classes) - 1}] "
                    f"for {len(self.classes)} classes, not [{labels.min()}, {labels.max()}]"
                )
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"the images of {self.name} must share one shape, "
                f"not {self.train_images.shape[1:]} and {self.test_images.shape[1:]}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of one image."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels


def _digits(data_dir: Path | None) -> DataSet:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = np.asarray(digits.images, dtype=np.uint8)[..., None]  # pyright: ignore[reportAttributeAccessIssue]
    labels = np.asarray(digits.target, dtype=np.int64)  # pyright: ignore[reportAttributeAccessIssue]
    train, test = map(np.asarray, train_test_split(range(len(labels)), test_size=0.2, stratify=labels, random_state=0))
    return DataSet(
        name="digits", classes=DIGIT_CLASSES, lo=0, hi=16,
        train_images=images[train], train_labels=labels[train], test_images=images[test], test_labels=labels[test],
    )  # fmt: skip


def _idx_data_set(name: str, classes: Sequence[str], data_dir: Path | None) -> DataSet:
    paths = tuple(fetch(name, f"{file}.gz") for file in FILES) if data_dir is None else find_idx_files(name, data_dir)
    train_images, train_labels, test_images, test_labels = (
        read_idx(path, axes=axes) for path, axes in zip(paths, (3, 1, 3, 1), strict=True)
    )
    return DataSet(
        name=name, classes=tuple(classes), lo=0, hi=255,
        train_images=train_images[..., None], train_labels=train_labels.astype(np.int64),
        test_images=test_images[..., None], test_labels=test_labels.astype(np.int64),
    )  # fmt: skip


def _cifar10(data_dir: Path | None) -> DataSet:
    train_images, train_labels, test_images, test_labels = read_cifar10(data_dir or fetch("cifar10", ARCHIVE))
    return DataSet(
        name="cifar10", classes=CIFAR10_CLASSES, lo=0, hi=255,
        train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels,
    )  # fmt: skip


def _svhn(data_dir: Path | None) -> DataSet:
    from .svhn import read_svhn

    def read(part: str) -> tuple[np.ndarray, np.ndarray]:
        file = f"{part}_32x32.mat"
        if data_dir is None:
            return read_svhn(fetch("svhn", file))
        if not (data_dir / file).is_file():
            raise ValueError(f"{data_dir} must hold {file} of svhn; it does not")
        return read_svhn(data_dir / file)

    train_images, train_labels = read("train")
    if data_dir is not None and (data_dir / "extra_32x32.mat").is_file():
        extra_images, extra_labels = read("extra")
        train_images = np.concatenate([train_images, extra_images])
        train_labels = np.concatenate([train_labels, extra_labels])
    test_images, test_labels = read("test")
    return DataSet(
        name="svhn", classes=DIGIT_CLASSES, lo=0, hi=255,
        train_images=train_images, train_labels=train_labels, test_images=test_images, test_labels=test_labels,
    )  # fmt: skip


DATA_SETS: dict[str, Callable[[Path | None], DataSet]] = {
    "digits": _digits,
    "mnist": lambda data_dir: _idx_data_set("mnist", DIGIT_CLASSES, data_dir),
    "fashion-mnist": lambda data_dir: _idx_data_set("fashion-mnist", FASHION_CLASSES, data_dir),
    "cifar10": _cifar10,
    "svhn": _svhn,
}


def load_data_set(name: str, *, data_dir: Path | None = None) -> DataSet:
    """The data set called `name`, from `data_dir`, else $BNNHW_DATA_DIR, else downloaded and cached.

    ValueError if there is no such data set or a file is missing, damaged or cannot be fetched.
    """
    if name not in DATA_SETS:
        raise ValueError(f"unknown data set {name!r}; known ones are {', '.join(DATA_SETS)}")
    if data_dir is None and os.environ.get("BNNHW_DATA_DIR"):
        data_dir = Path(os.environ["BNNHW_DATA_DIR"])
    return DATA_SETS[name](data_dir)

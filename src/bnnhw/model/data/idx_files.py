"""Where the four IDX files of MNIST and its successors lie in a folder: by their own names, or as others pack them."""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FILES", "find_idx_files"]

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

_PLACES = {
    "mnist": ("MNIST/raw", "mnist", "", "raw"),
    "fashion-mnist": ("FashionMNIST/raw", "fashion-mnist", "", "raw"),
}
"""Where they may lie below the folder that is given: first where the name tells the data set, as torchvision's does,
for the files of both sets have the same names; `raw` is the rest of torchvision's where its beginning was given."""

_SIMILAR = re.compile("idx|mnist|ubyte", re.IGNORECASE)


def find_idx_files(name: str, folder: Path) -> tuple[Path, ...]:
    """The files FILES of the data set `name` in `folder`, all from one place, plain or gzipped.

    Kaggle's archive of MNIST has a dot for a hyphen (train-images.idx3-ubyte), and the official names for folders with
    one file each, of the same name: both are taken. ValueError if a file is nowhere; it names what is there instead.
    """
    found = [[_find(folder / place, file) for file in FILES] for place in _PLACES[name]]
    best = max(found, key=lambda paths: sum(path is not None for path in paths))
    paths = tuple(path for path in best if path is not None)
    if len(paths) == len(FILES):
        return paths
    missing = FILES[best.index(None)]
    similar = [path for path in _similar_files(folder) if folder / path not in paths]
    hint = f"; it has {', '.join(map(str, similar[:3]))}, which cannot stand for it" if similar else ""
    raise ValueError(f"{folder} must hold {missing} or {missing}.gz of {name}; it has neither{hint}")


def _find(place: Path, file: str) -> Path | None:
    """`file` in `place`, by whichever of its names."""
    for name in (file, file.replace("-idx", ".idx")):
        for path in (place / name, place / f"{name}.gz", place / name / name):
            if path.is_file():
                return path
    return None


def _similar_files(folder: Path) -> Iterator[Path]:
    """Files in `folder` and the folders right in it that might be meant, by their paths from there."""
    for path in sorted((*folder.glob("*"), *folder.glob("*/*"))):
        if path.is_file() and _SIMILAR.search(path.name):
            yield path.relative_to(folder)

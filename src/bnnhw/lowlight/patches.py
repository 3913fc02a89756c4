"""Photos cut into overlapping patches, kept in files, so that training need not decode whole photos again."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnhw.files import staged_file

from .filters import BAYER, ColourFilter
from .mosaic import amplify, mirror_columns, mirror_rows
from .pairs import Pair, Source

__all__ = ["PatchOptions", "Patches", "cut_patches", "grid", "random_crop"]

_VERSION = 3
"""Of what lies in the cache; another one makes it anew."""
_MOST = 65535


@dataclass(frozen=True, kw_only=True)
class PatchOptions:
    """How photos are cut.

    Attributes
    ----------
    size, overlap : int
        Packed pixels along each side, and how many neighbours share at least. A photo that is smaller is one patch.
    """

    size: int = 512
    overlap: int = 32

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size={self.size} must be at least 1")
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"overlap={self.overlap} must lie in [0, size={self.size})")


@dataclass(frozen=True, eq=False, kw_only=True)
class Patches:
    """The patches of one pair.

    Attributes
    ----------
    mosaics : (patches, H, W) uint16
        In 65535ths; amplified by the pair's ratio where it has one.
    pictures : (patches, H, W, 3) uint16
        In 65535ths.
    bright : bool
        Whether the mosaics are bright ones, which noise is still to be put on.
    filters : ColourFilter
        Over the mosaics.
    """

    mosaics: NDArray[np.uint16]
    pictures: NDArray[np.uint16]
    bright: bool
    filters: ColourFilter = BAYER

    def __len__(self) -> int:
        return len(self.mosaics)


def grid(length: int, *, size: int, overlap: int) -> list[int]:
    """The first pixels of the fewest patches of `size` that cover `length` pixels, neighbours sharing at least
    `overlap`, evenly spread. One patch at 0 where `length` is not greater than `size`."""
    if length <= size:
        return [0]
    count = math.ceil((length - overlap) / (size - overlap))
    return [round(start) for start in np.linspace(0, length - size, count)]


def cut_patches(
    source: Source, *, options: PatchOptions, cache: Path, on_load: Callable[[Source], None] = lambda source: None
) -> Patches:
    """The patches of a pair: out of the folder `cache` if they are there, else cut, and written there.

    The file's name tells what made it: the files of the pair with their sizes and times, its ratio and filter, and
    `options`; a changed photo is cut anew. The arrays are maps of the file, so that photos need not fit into memory.
    `on_load` is told before a photo is decoded.
    """
    files = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in source.files]
    ratio = getattr(source, "ratio", None)
    recipe = json.dumps([_VERSION, files, ratio, source.filters.name, options.size, options.overlap])
    key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    path = cache / f"{source.files[0].stem}-{key}.npy"
    if not path.exists():
        on_load(source)
        cache.mkdir(parents=True, exist_ok=True)
        _write(path, source.load(), options)
    try:
        records = np.load(path, mmap_mode="r", allow_pickle=False)
        mosaics, pictures = records["mosaic"], records["picture"]
    except (ValueError, EOFError, IndexError) as error:
        raise ValueError(f"{path} is damaged; delete it to have it made anew") from error
    return Patches(mosaics=mosaics, pictures=pictures, bright=ratio is None, filters=source.filters)


def _write(path: Path, pair: Pair, options: PatchOptions) -> None:
    """Writes a pair's patches to `path`, whole or not at all. They begin as the filter does, so that those of X-Trans
    may lie a packed pixel farther up or left."""
    block, step = pair.filters.block, pair.filters.period // pair.filters.block
    mosaic = amplify(pair.mosaic, 1.0 if pair.ratio is None else pair.ratio)
    starts = [grid(length // block, size=options.size, overlap=options.overlap) for length in mosaic.shape]
    height, width = (min(block * options.size, length) for length in mosaic.shape)
    record = np.dtype([("mosaic", "<u2", (height, width)), ("picture", "<u2", (height, width, 3))])
    with staged_file(path) as staged:
        records = np.lib.format.open_memmap(staged, mode="w+", dtype=record, shape=(len(starts[0]) * len(starts[1]),))
        for number, (top, left) in enumerate(product(*starts)):
            top, left = (block * (start - start % step) for start in (top, left))
            window = np.s_[top : top + height, left : left + width]
            records[number] = _stored(mosaic[window]), _stored(pair.picture[window])
        records.flush()


def _stored(image: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.rint(image * np.float32(_MOST)).astype(np.uint16)


def random_crop(
    images: Sequence[NDArray[np.uint16]],
    *,
    size: int,
    generator: np.random.Generator,
    filters: ColourFilter = BAYER,
) -> list[NDArray[np.float32]]:
    """The same random window of `images`, a mosaic and its picture, as float32 in [0, 1], mirrored along each axis in
    half of the cases where there is room to.

    It is `size` packed pixels high and wide, an even number, and begins as the filter does: windows start at multiples
    of its period, and a mirrored one loses so many pixels (`mirror_rows`). Turning by 90 degrees would make columns of
    a sensor's rows, whose noise is not that of columns, so it is left out. ValueError if the images are smaller than
    that.
    """
    height, width = images[0].shape[:2]
    side, period = filters.block * size, filters.period
    if min(height, width) < side:
        raise ValueError(f"a crop of {side} pixels does not fit into {height}x{width}; choose a smaller one")
    windows, mirrors = [], []
    for length, mirror in ((height, mirror_rows), (width, mirror_columns)):
        mirrored = bool(generator.random() < 0.5) and length >= side + period
        taken = side + period * mirrored
        start = period * int(generator.integers(0, (length - taken) // period, endpoint=True))
        windows.append(slice(start, start + taken))
        mirrors += [mirror] * mirrored
    crops = [image[tuple(windows)].astype(np.float32) / np.float32(_MOST) for image in images]
    for mirror in mirrors:
        crops = [mirror(crop, filters) for crop in crops]
    return crops

"""The images that a network is fed: those that are given, a data set's test images, or seeded random ones.

Tests: tests/cli/test_verify.py
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.api.checks import check_count
from bnnhw.compiler.ir.graph import Graph, random_feeds
from bnnhw.compiler.ir.types import IntType
from bnnhw.model.data.datasets import DataSet, load_data_set

from .files import read_image

__all__ = ["Images", "check_images", "images_for", "images_of", "test_set"]

Images = NDArray[Any] | Sequence[str | Path]
"""Integers (N, H, W, C) as the network takes them, or files of images."""


def test_set(name: str | None, *, data_dir: Path | None) -> DataSet:
    """The data set `name`. Raises ValueError where the model does not say which and none is asked for."""
    if not name:
        raise ValueError("the model does not say which data set it was trained on; name one as dataset")
    return load_data_set(name, data_dir=data_dir)


def check_images(images: NDArray[Any], what: str, *, shape: tuple[int, ...], lo: int, hi: int) -> None:
    """Raises ValueError where `images` (N, H, W, C) are not of `shape`, that of the network's input, or do not lie in
    [lo, hi], which it takes."""
    if images.shape[1:] != shape:
        raise ValueError(f"the images of {what} are of shape {images.shape[1:]}; the network takes {shape}")
    if images.size and not lo <= (least := int(images.min())) <= (most := int(images.max())) <= hi:
        raise ValueError(
            f"the images of {what} hold values from {least} to {most}; the network takes {lo} to {hi}: "
            "name the data set that it was trained on"
        )


def images_of(given: Images, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[Any]:
    """What is `given`, an image or more, as integers in [lo, hi] of shape (N, *shape).

    Raises ValueError where a file holds no such image, or the array others.
    """
    if not len(given):
        raise ValueError("images are none; give one or more")
    if isinstance(given, np.ndarray):
        check_images(given, "the array", shape=shape, lo=lo, hi=hi)
        if given.dtype.kind not in "iu":
            raise ValueError(f"the images of the array are {given.dtype}; the network takes integers")
        return given
    return np.stack([read_image(Path(path), shape=shape, lo=lo, hi=hi) for path in given])


def images_for(
    graph: Graph, *, samples: int | None, dataset: str | None, data_dir: Path | None, seed: int = 0
) -> tuple[NDArray[Any], str]:
    """(images, where they come from): test images where they are at hand, else seeded random ones.

    The model's own data set is used without being asked for, if it needs no download or fails to; more samples than it
    has, and models without one, get random images.
    """
    (value,) = graph.inputs
    element = value.type.element
    assert isinstance(element, IntType)  # as in every model file
    name = dataset or graph.meta.get("dataset")
    count = 100 if samples is None else samples
    check_count("samples", count)
    if name:
        try:
            images = test_set(name, data_dir=data_dir).test_images
        except (ValueError, OSError):
            if dataset or data_dir:
                raise
        else:
            check_images(images, name, shape=value.type.shape, lo=element.lo, hi=element.hi)
            if count <= len(images):
                return images[:count], f"the first {count:,} test images of {name}"
            raise ValueError(f"samples={count} must be at most {len(images)}, the test images of {name}")
    images = random_feeds(graph, samples=count, seed=seed)[value.name]
    return images, f"{count:,} random images of seed {seed}" + (
        f" ({name} is not at hand; name its data dir)" if name else ""
    )

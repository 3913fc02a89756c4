"""What moves elements and computes nothing.

Tests: tests/operators/test_chains.py
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .kind import Shape

__all__ = ["Crop", "DepthToSpace", "Rearrangement", "SpaceToDepth", "crop", "pixel_shuffle", "space_to_depth"]


class Rearrangement(ABC):
    """Called with images (N, H, W, C), or one (H, W, C), it is the reference."""

    name: ClassVar[str]

    def __call__(self, images: Any) -> NDArray[Any]:
        x = np.asarray(images)
        if x.ndim not in (3, 4):
            raise OperatorError(f"{self.name} takes images (N, H, W, C), or one (H, W, C), not {x.shape}")
        self.shape((x.shape[-3], x.shape[-2], x.shape[-1]))
        return self.moved(x) if x.ndim == 4 else self.moved(x[None])[0]

    @abstractmethod
    def moved(self, images: NDArray[Any]) -> NDArray[Any]:
        """Of images (N, H, W, C)."""

    @abstractmethod
    def shape(self, shape: Shape) -> Shape:
        """Of the result for an image of this shape. OperatorError where there is none."""


@dataclass(frozen=True)
class SpaceToDepth(Rearrangement):
    """Blocks of pixels become pixels: (H, W, C) -> (H/b, W/b, C*b*b), in the order of torch's PixelUnshuffle."""

    name = "space_to_depth"

    block: int

    def moved(self, images: NDArray[Any]) -> NDArray[Any]:
        count, height, width, channels = images.shape
        b = self.block
        blocks = images.reshape(count, height // b, b, width // b, b, channels)
        return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(count, height // b, width // b, channels * b * b)

    def shape(self, shape: Shape) -> Shape:
        height, width, channels = shape
        if height % self.block or width % self.block:
            raise OperatorError(f"blocks of {self.block} pixels must divide an image of {height} x {width}; crop it")
        return height // self.block, width // self.block, channels * self.block**2


@dataclass(frozen=True)
class DepthToSpace(Rearrangement):
    """Pixels become blocks of pixels: (H, W, C*b*b) -> (H*b, W*b, C), in the order of torch's PixelShuffle."""

    name = "pixel_shuffle"

    block: int

    def moved(self, images: NDArray[Any]) -> NDArray[Any]:
        count, height, width, channels = images.shape
        b = self.block
        blocks = images.reshape(count, height, width, channels // (b * b), b, b)
        return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(count, height * b, width * b, channels // (b * b))

    def shape(self, shape: Shape) -> Shape:
        height, width, channels = shape
        if channels % self.block**2:
            raise OperatorError(f"blocks of {self.block}: {self.block**2} must divide the {channels} channels")
        return height * self.block, width * self.block, channels // self.block**2


@dataclass(frozen=True)
class Crop(Rearrangement):
    """Rows and columns left out at the borders."""

    name = "crop"

    top: int
    bottom: int
    left: int
    right: int

    def moved(self, images: NDArray[Any]) -> NDArray[Any]:
        return images[:, self.top : images.shape[1] - self.bottom, self.left : images.shape[2] - self.right]

    def shape(self, shape: Shape) -> Shape:
        height, width, channels = shape
        after = height - self.top - self.bottom, width - self.left - self.right
        if min(after) < 1:
            raise OperatorError(f"nothing is left of an image of {height} x {width} behind {self}; leave out less")
        return *after, channels


def space_to_depth(block: int) -> SpaceToDepth:
    """Blocks of block x block pixels as pixels of so many more channels; a Bayer mosaic by 2 has a channel a colour.

    >>> space_to_depth(2)(np.arange(16).reshape(4, 4, 1))[0, 0].tolist()
    [0, 1, 4, 5]
    """
    return SpaceToDepth(_size("block", block, 1))


def pixel_shuffle(block: int) -> DepthToSpace:
    """The inverse: images block times as high and wide.

    >>> pixel_shuffle(2)(np.arange(4).reshape(1, 1, 4)).ravel().tolist()
    [0, 1, 2, 3]
    """
    return DepthToSpace(_size("block", block, 1))


def crop(*, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0) -> Crop:
    """The image without so many rows and columns.

    >>> crop(top=1, left=1)(np.arange(4).reshape(2, 2, 1)).ravel().tolist()
    [3]
    """
    sizes = {"top": top, "bottom": bottom, "left": left, "right": right}
    return Crop(*(_size(name, value, 0) for name, value in sizes.items()))


def _size(name: str, value: int, least: int) -> int:
    if not isinstance(value, int) or value < least:
        raise OperatorError(f"{name}={value!r} must be a number of at least {least}")
    return value

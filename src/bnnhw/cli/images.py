"""Images on disk: PNG and its kin, or numpy arrays, to and from the integers that a network takes.

An 8-bit pixel v stands for lo + round(v * (hi - lo) / 255): itself where the network's range is 0 to 255.
"""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def read_image(path: Path, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    """The image at `path` as integers in [lo, hi] of `shape`, (H, W, C); `.npy` files hold those integers as they are.

    Raises ValueError where the file is no image, or of another size.
    """
    if path.suffix == ".npy":
        return _read_array(path, shape=shape, lo=lo, hi=hi)
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ValueError(f"{path}: an input of shape {shape} is no picture; give a .npy file of that shape")
    height, width, channels = shape
    unreadable = f"{path} is no image that can be read; give a PNG, or a .npy file of shape {shape}"
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            if image.size == (width, height):
                pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"), dtype=np.int64)
                return lo + np.rint(pixels.reshape(shape) * (hi - lo) / 255).astype(np.int64)
            found = f"{image.width}x{image.height}"
    except OSError as error:
        if error.errno is not None:
            raise
        raise ValueError(unreadable) from error
    except (Image.DecompressionBombError, SyntaxError, ValueError) as error:  # Pillow's own, and its readers'
        raise ValueError(unreadable) from error
    raise ValueError(f"{path} is {found} pixels; the network takes {width}x{height}: resize it first")


def _read_array(path: Path, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no numpy array of numbers; save it with numpy.save") from error
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind not in "iu":
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive"
        raise ValueError(f"{path} holds {found}; the network takes integers of shape {shape}")
    if array.size and not lo <= array.min() <= array.max() <= hi:
        raise ValueError(f"{path} spans [{array.min()}, {array.max()}]; the network takes [{lo}, {hi}]")
    return array.astype(np.int64)


def write_image(path: Path, image: NDArray[np.integer], *, lo: int, hi: int) -> None:
    """Writes integers in [lo, hi] of shape (H, W, C) as a PNG from which `read_image` gets the same integers."""
    pixels = np.rint((image.astype(np.float64) - lo) * 255 / (hi - lo)).astype(np.uint8)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, format="PNG")

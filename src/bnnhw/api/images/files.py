"""Images on disk: PNG and its kin, or numpy arrays, to and from the integers that a network takes.

A pixel v of a picture whose white is w stands for lo + round(v * (hi - lo) / w): itself where an 8-bit picture meets a
network that takes 0 to 255. w is odd, so nothing lies halfway.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bnnhw.pictures.reader import read_picture
from bnnhw.pictures.source import Body, Source

_MAGIC = b"\x93NUMPY"
"""What a .npy file begins with."""


def read_image(path: Path, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    """The image at `path` as integers in [lo, hi] of `shape`, (H, W, C); `.npy` files hold those integers as they are.

    Raises ValueError where the file is no image, or of another size.
    """
    return _read(path, is_array=path.suffix.lower() == ".npy", shape=shape, lo=lo, hi=hi)


def image_in(body: bytes, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    """As `read_image` has it from a file of these bytes; errors call it the body."""
    return _read(Body(body, "the body"), is_array=body.startswith(_MAGIC), shape=shape, lo=lo, hi=hi)


def _read(source: Source, *, is_array: bool, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    if is_array:
        return _read_array(source, shape=shape, lo=lo, hi=hi)
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ValueError(f"{source}: an input of shape {shape} is no picture; give a .npy file of that shape")
    picture = read_picture(source, channels=shape[2], size=shape[:2])
    return lo + np.rint(picture.pixels.astype(np.int64) * (hi - lo) / picture.white).astype(np.int64)


def _read_array(source: Source, *, shape: tuple[int, ...], lo: int, hi: int) -> NDArray[np.int64]:
    try:
        with source.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except Exception as error:  # damaged headers make numpy raise whatever it stumbles over
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"{source} is no numpy array of numbers; save it with numpy.save") from error
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind not in "iu":
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive"
        raise ValueError(f"{source} holds {found}; the network takes integers of shape {shape}{_way_out(array, shape)}")
    if array.size and not lo <= array.min() <= array.max() <= hi:
        raise ValueError(f"{source} spans [{array.min()}, {array.max()}]; the network takes [{lo}, {hi}]")
    return array.astype(np.int64)


def _way_out(array: object, shape: tuple[int, ...]) -> str:
    """The numpy code that makes the network's input of an array that holds it, or several, in another form."""
    if not isinstance(array, np.ndarray) or len(shape) != 3:
        return ""
    height, width, channels = shape
    forms = {
        shape: "array",
        (channels, height, width): "array.transpose(1, 2, 0)",
        **({(height, width): "array[..., None]"} if channels == 1 else {}),
    }
    code = forms.get(array.shape) or forms.get(array.shape[1:], "").replace("array", "array[0]")
    if not code:
        return ""
    scaled = ", scaled to them," if array.dtype.kind == "f" else ""
    kind = "" if array.dtype.kind in "iu" else ".astype(numpy.int64)"
    return f": save{scaled} {code}{kind}"


def write_image(path: Path, image: NDArray[np.integer], *, lo: int, hi: int) -> None:
    """Writes integers in [lo, hi] of shape (H, W, C) as a PNG from which `read_image` gets the same integers."""
    pixels = np.rint((image.astype(np.float64) - lo) * 255 / (hi - lo)).astype(np.uint8)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, format="PNG")

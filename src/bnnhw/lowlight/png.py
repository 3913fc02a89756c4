"""Pictures as PNG files."""

import io
from pathlib import Path

import numpy as np
import png
from numpy.typing import NDArray

from bnnhw.model.files import write_atomically

__all__ = ["write_png"]


def write_png(path: Path, picture: NDArray[np.float32], *, bits: int) -> None:
    """Writes a picture (H, W, 3) in [0, 1] with 8 or 16 bits a colour, whole or not at all."""
    if bits not in (8, 16):
        raise ValueError(f"bits={bits} must be 8 or 16")
    height, width, _ = picture.shape
    numbers = np.rint(picture * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    buffer = io.BytesIO()
    writer = png.Writer(width, height, greyscale=False, bitdepth=bits)  # pyright: ignore[reportArgumentType]
    writer.write(buffer, numbers.reshape(height, width * 3))
    write_atomically(path, buffer.getvalue())

"""Reading IDX files, the format of MNIST and its successors.

A file is two zero bytes, the element type (8 for uint8), the number of axes, each axis' length as a big-endian uint32,
then the elements in C order. https://yann.lecun.org/exdb/mnist/
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

__all__ = ["read_idx"]

_UINT8 = 8


def read_idx(path: Path, *, axes: int) -> np.ndarray:
    """The uint8 array in `path`, which may be gzipped. ValueError if the file is not just that with so many axes."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}; fetch it again") from error
    expected = bytes([0, 0, _UINT8, axes])
    if data[:4] != expected:
        raise ValueError(
            f"{path} must be an IDX file of bytes with {axes} axes, which begins with {expected.hex()}; "
            f"this one begins with {data[:4].hex() or 'nothing'}"
        )
    header = 4 + 4 * axes
    if len(data) < header:
        raise ValueError(f"{path} is truncated: its header needs {header} bytes and it has {len(data)}; fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(data, dtype=">u4", count=axes, offset=4))
    if len(data) != header + math.prod(shape):
        raise ValueError(
            f"{path} must hold {header + math.prod(shape)} bytes for shape {shape} and has {len(data)}; fetch it again"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape).copy()  # writable, as torch wants

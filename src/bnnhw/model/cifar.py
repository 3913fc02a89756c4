"""Reading CIFAR-10's binary version: records of one byte of label and 3072 of image, planes R, G, B of 32x32 in raster
order. https://www.cs.toronto.edu/~kriz/cifar.html

The version for Python holds pickles, which could run code, and is not read.
"""

from pathlib import Path

import numpy as np

__all__ = ["read_cifar10"]

_CLASSES = 10
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32


def read_cifar10(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(images uint8 (N, 32, 32, 3), labels int64 (N,)) in `path`. ValueError if the file is not just that."""
    data = np.fromfile(path, dtype=np.uint8)
    if not len(data) or len(data) % _RECORD:
        raise ValueError(f"{path} must hold records of {_RECORD} bytes and has {len(data)} bytes; fetch it again")
    records = data.reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= _CLASSES:
        raise ValueError(f"{path} must begin each record with a label below {_CLASSES}; one is {labels.max()}")
    images = records[:, 1:].reshape(-1, *_SHAPE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels

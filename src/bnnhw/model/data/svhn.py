"""Reading SVHN's cropped digits: MATLAB files (version 5) with X, uint8 (32, 32, 3, N), and y, (N, 1), 10 for a 0.
http://ufldl.stanford.edu/housenumbers/
"""

import io
from pathlib import Path

import numpy as np
from scipy.io import loadmat

__all__ = ["read_svhn"]


def read_svhn(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(images uint8 (N, 32, 32, 3), the digits int64 (N,)) in `path`. ValueError if the file is not just that."""
    data = path.read_bytes()
    try:
        content = loadmat(io.BytesIO(data), variable_names=["X", "y"])
    except Exception as error:  # a damaged file fails wherever the reader stumbles
        raise ValueError(f"{path} is damaged or no MATLAB 5 file; fetch it again") from error
    images, labels = (np.asarray(content.get(name, ())) for name in ("X", "y"))
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise ValueError(f"{path} must hold X, uint8 (32, 32, 3, N), not {images.dtype} {images.shape}")
    if labels.shape != (images.shape[3], 1) or not np.isin(labels, range(1, 11)).all():
        raise ValueError(f"{path} must hold y, (N, 1) labels from 1 to 10 for N={images.shape[3]}, not {labels.shape}")
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels[:, 0].astype(np.int64) % 10

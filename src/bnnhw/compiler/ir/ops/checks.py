"""Checks of the arrays in an op's fields.

Tests: tests/compiler/frontends/test_model_file.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def parameter(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    """A float32 vector from a model file, checked: one axis, float32, finite."""
    array = np.asarray(array)
    if array.dtype != np.float32 or array.ndim != 1:
        raise ValueError(f"{name} must be a float32 vector, not {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, but element {int(np.argmin(np.isfinite(array)))} is NaN or infinite")
    return array


def check_length(name: str, array: NDArray[Any] | None, *lengths: int) -> None:
    """Raise ValueError unless `array` is None or as long as one of `lengths`."""
    if array is not None and len(array) not in lengths:
        raise ValueError(f"{name} must have {' or '.join(map(str, sorted(set(lengths))))} elements, not {len(array)}")

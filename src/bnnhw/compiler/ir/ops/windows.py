"""Windows that slide over an image: what convolutions and poolings look at.

Tests: tests/test_convolutions.py
"""

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]


def check_pair(name: str, pair: Pair, *, least: int) -> None:
    """Raise ValueError unless `pair` is two integers (height, width) of at least `least`."""
    if len(pair) != 2 or not all(type(size) is int and size >= least for size in pair):
        raise ValueError(f"{name} must be (height, width), each at least {least}, not {pair}")


def check_image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """`shape` as (H, W, C). Raises ValueError where it is none."""
    if len(shape) != 3:
        raise ValueError(f"reads images (H, W, C), not shape {shape}")
    return shape


def extent(kernel: Pair, dilation: Pair) -> Pair:
    """Rows and columns from a window's first tap to its last one, both included."""
    down, across = ((taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True))
    return down, across


def window_counts(shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair = (0, 0)) -> Pair:
    """How many windows fit down and across an image (H, W, C), padded at both ends; the rest at the end is left out."""
    height, width, _ = check_image(shape)
    down, across = (
        (size + 2 * margin - window) // step + 1
        for size, window, step, margin in zip((height, width), kernel, stride, padding, strict=True)
    )
    if min(down, across) < 1:
        raise ValueError(f"a window of {kernel} does not fit into an image of {(height, width)} with padding {padding}")
    return down, across


def windows(x: NDArray[Any], kernel: Pair, stride: Pair) -> NDArray[Any]:
    """A view of x (N, H, W, C): (N, down, across, C, kernel height, kernel width)."""
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return view[:, :: stride[0], :: stride[1]]


def over_windows(combine: np.ufunc, x: NDArray[Any], kernel: Pair, stride: Pair) -> NDArray[Any]:
    """The elements of each window of x (N, H, W, C), combined channel by channel: (N, down, across, C).

    Taking the same element of all windows at a time keeps the channels side by side, where numpy is fastest.
    """
    view = windows(x, kernel, stride)
    return reduce(combine, (view[..., down, across] for down, across in np.ndindex(kernel)))

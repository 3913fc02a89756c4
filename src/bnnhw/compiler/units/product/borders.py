"""Padding that no input can be: pixels whose windows reach over the border alike, and what that changes in their sums.

Beyond the border of +-1 inputs a true zero stands for nothing that one bit can say. The hardware pads with the input's
code 0, the number lo, instead. The sum of a window is then wrong by a constant: with T the window's taps beyond the
border,

    sum over all taps of x*w = (sum with lo in T) + (pad_value - lo) * sum over T of w.

A 3x3 kernel with padding 1 has nine such T at most: corners, edges and the inside. So what is behind the sums,
thresholds or an addition, takes a constant of each class and channel, and the sums themselves stay what they cost
without padding; a second bit plane for -1, 0 and +1 would take twice the cycles or twice the PEs.

Tests: tests/test_convolutions_in_hardware.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Conv, Product
from bnnhw.compiler.ir.types import BinaryType, IntType


@dataclass(frozen=True)
class Borders:
    """The class of each row and of each column of an image, as `bnnhw.hw.threshold.places.Places` has
    them. Empty: all alike."""

    row_classes: tuple[int, ...] = ()
    column_classes: tuple[int, ...] = ()


NO_BORDERS = Borders()
"""All pixels are alike."""


def border_constants(
    op: Product, element: BinaryType | IntType, shape: tuple[int, ...]
) -> tuple[Borders, NDArray[np.int64]]:
    """The classes of the pixels whose sums lack a constant, and these, (row classes, column classes, rows), where a
    product reads an image of this shape and the code 0 is its padding: 0 for all alike where that is right."""
    if not isinstance(op, Conv) or op.terms(element) == element:
        return NO_BORDERS, np.zeros((1, 1, op.rows), np.int64)
    borders, sums = border_sums(op, *shape[:2])
    return borders, sums * (op.pad_value - element.lo)


def border_sums(op: Conv, height: int, width: int) -> tuple[Borders, NDArray[np.int64]]:
    """The classes of the output pixels of an image of height * width, and of each the sum over T of w:
    (row classes, column classes, rows)."""
    classes, beyond = [], []
    for axis, size in enumerate((height, width)):
        windows = [
            windows_taps(op, axis, size, index) for index in range(op.output_shape((height, width, op.channels))[axis])
        ]
        kinds = sorted(set(windows))
        classes.append(tuple(kinds.index(taps) for taps in windows))
        beyond.append(np.array(kinds))
    rows, columns = beyond
    outside = rows[:, None, :, None] | columns[None, :, None, :]  # (row classes, column classes, ky, kx)
    sums = np.einsum("abyx,ryxc->abr", outside.astype(np.int64), op.weights.astype(np.int64))
    return Borders(*classes), sums


def windows_taps(op: Conv, axis: int, size: int, index: int) -> tuple[bool, ...]:
    """Which taps of the kernel lie beyond the border in the windows of one output row (axis 0) or column (axis 1)."""
    start = index * op.stride[axis] - op.padding[axis]
    return tuple(not 0 <= start + tap * op.dilation[axis] < size for tap in range(op.kernel[axis]))

"""The convolution with binary weights, as it was trained.

Tests: tests/test_convolutions.py
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.integer.conv import Conv

from .binary_layer import BinaryLayer


@dataclass(frozen=True, eq=False)
class BinaryConv2d(BinaryLayer):
    """A `Conv` with scale and bias."""

    conv: Conv
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        self.affine.check_channels(self.conv.rows)
        if self.conv.pad_value not in (-1, 0, 1):
            raise ValueError(f"pad_value must be -1, 0 or 1, not {self.conv.pad_value}")

    @property
    def product(self) -> Conv:
        return self.conv

    def product_of_sums(self, divisor: int) -> Conv:
        return replace(self.conv, pad_value=self.conv.pad_value * divisor)

    @property
    def weights(self) -> NDArray[np.int8]:
        return self.conv.weights

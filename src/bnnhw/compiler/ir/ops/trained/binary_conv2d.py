"""The convolution with binary weights, as it was trained.

Tests: tests/test_convolutions.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.integer.conv import Conv
from bnnhw.compiler.ir.types import QuotientType, TensorType

from .binary_layer import BinaryLayer


@dataclass(frozen=True, eq=False)
class BinaryConv2d(BinaryLayer):
    """A `Conv` with scale and bias."""

    conv: Conv
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        self.affine.check_channels(self.conv.rows)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, QuotientType) and any(self.conv.padding) and self.conv.pad_value:
            raise ValueError(f"pads averages with {self.conv.pad_value}; their sums can be padded with 0 only")
        return super().infer(x)

    @property
    def product(self) -> Conv:
        return self.conv

    @property
    def weights(self) -> NDArray[np.int8]:
        return self.conv.weights

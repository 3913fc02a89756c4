"""The convolution with binary weights, as it was trained."""

from dataclasses import dataclass

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

    @property
    def product(self) -> Conv:
        return self.conv

    @property
    def weights(self) -> NDArray[np.int8]:
        return self.conv.weights

"""The fully connected layer with binary weights, as it was trained.

Tests: tests/compiler/frontends/test_model_file.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.integer.matmul import MatMul

from .binary_layer import BinaryLayer


@dataclass(frozen=True, eq=False)
class BinaryLinear(BinaryLayer):
    """A `MatMul` with scale and bias. weights: (out, in) int8 of +-1."""

    weights: NDArray[np.int8]
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        self.affine.check_channels(self.product.rows)

    @property
    def product(self) -> MatMul:
        return MatMul(self.weights)

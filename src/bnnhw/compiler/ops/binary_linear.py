"""The fully connected layer with binary weights, as it was trained."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.types import FloatType, TensorType

from .affine import Affine
from .base import Op
from .matmul import MatMul


@dataclass(frozen=True, eq=False)
class BinaryLinear(Op):
    """y[o] = (sum_i x[i]*weights[o, i]) * scale[o] + bias[o]; the sum is exact, the two steps after it are float32.

    weights: (out, in) int8 of +-1. scale, bias: (out,) float32 or None. x must be integers or +-1.
    """

    weights: NDArray[np.int8]
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        self.matmul.__post_init__()
        self.affine.check_channels(len(self.weights))

    @property
    def matmul(self) -> MatMul:
        """The integer part."""
        return MatMul(self.weights)

    @property
    def affine(self) -> Affine:
        """The float part."""
        return Affine(self.scale, self.bias)

    def infer(self, *inputs: TensorType) -> TensorType:
        self.affine.infer(self.matmul.infer(*inputs))
        return TensorType((len(self.weights),), FloatType())

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        return self.affine.reference(self.matmul.reference(*inputs))

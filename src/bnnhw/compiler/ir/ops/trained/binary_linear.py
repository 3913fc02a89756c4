"""The fully connected layer with binary or integer weights, as it was trained.

Tests: tests/compiler/frontends/test_model_file.py
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.fields import Fields
from bnnhw.compiler.ir.ops.integer.matmul import MatMul
from bnnhw.compiler.ir.ops.stored import Plain, stored_as

from .binary_layer import BinaryLayer


@stored_as("binary_linear", "integer_linear")
@dataclass(frozen=True, eq=False)
class BinaryLinear(BinaryLayer):
    """A `MatMul` with scale and bias. weights: (out, in), and factors, as of any `Product`."""

    weights: NDArray[Any]
    scale: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    factors: tuple[int, ...] = ()

    @property
    def product(self) -> MatMul:
        return MatMul(self.weights, factors=self.factors)

    def to_plain(self) -> Plain:
        rows, cols = self.weights.shape
        sizes = {"in_features": cols, "out_features": rows}
        op = "binary_linear" if self.product.is_binary else "integer_linear"
        return Plain(op=op, attributes=sizes, tensors=self.tensors)

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        shape = values.size("out_features"), values.size("in_features")
        weights = cls.read_weights(values, shape, binary=op == "binary_linear")
        factors = cls.read_factors(values)
        return cls(weights, values.optional_vector("scale"), values.optional_vector("bias"), factors)

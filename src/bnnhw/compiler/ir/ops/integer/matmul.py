"""The product of +-1 weights with integers or +-1 values: the work of a binary network.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.exact import exact_matmul

from .product import Product


@dataclass(frozen=True, eq=False)
class MatMul(Product):
    """y[o] = sum_i x[i]*weights[o, i], exactly. weights: (rows, cols) int8 of +-1."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape != (self.cols,):
            raise ValueError(f"reads shape {shape}, but its weights want ({self.cols},)")
        return (self.rows,)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return exact_matmul(x, self.weights)

"""The product of weights with integers or +-1 values: the work of a binary network.

Tests: tests/compiler/test_reference.py
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.exact import as_values, exact_sums, exact_terms

from .product import Product


@dataclass(frozen=True, eq=False)
class MatMul(Product):
    """y[o] = sum_i x[i]*weights[o, i], exactly. weights: (rows, cols), as of any `Product`."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape != (self.cols,):
            raise ValueError(f"reads shape {shape}, but its weights want ({self.cols},)")
        return (self.rows,)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return as_values(exact_sums(exact_terms(x, count=self.most), self.weights), x)

"""What trained layers with binary or integer weights share: an exact sum, and float32 scale and bias behind it.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import abstractmethod
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.checks import check_length, parameter
from bnnhw.compiler.ir.ops.fields import Fields, pack_signs
from bnnhw.compiler.ir.ops.integer.product import Product
from bnnhw.compiler.ir.ops.kinds import Separable, Separated
from bnnhw.compiler.ir.types import (
    FloatType,
    QuotientType,
    TensorType,
    is_exact_in_float32,
    require_exact_in_float32,
)

from .affine import Affine
from .divide import Divide


class BinaryLayer(Separable):
    """y[…, o] = product(x)[…, o] * scale[o] + bias[o]; the product is exact, the two steps after it are float32.

    Of integer weights sums may exceed 2^24: they are rounded once, to float32.

    scale, bias: (rows,) float32 or None. x must be integers, +-1, or integers over a power of two.
    """

    scale: NDArray[np.float32] | None
    bias: NDArray[np.float32] | None

    @property
    @abstractmethod
    def product(self) -> Product:
        """The integer part."""

    def product_of_sums(self, divisor: int) -> Product:
        """What is `divisor` times the product of averages, of their sums: whatever pads them is multiplied, too."""
        return self.product

    @property
    def affine(self) -> Affine:
        """The float part."""
        return Affine(self.scale, self.bias)

    def __post_init__(self):
        for name in ("scale", "bias"):
            if (array := getattr(self, name)) is not None:
                check_length(name, parameter(name, array), self.product.rows)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Those of model.pt: `weight` packed, `scale`, `bias` and `factors` where there are any."""
        tensors = {name: array for name in ("scale", "bias") if (array := getattr(self, name)) is not None}
        weights, factors = self.product.weights, self.product.factors
        if factors:
            tensors["factors"] = np.array(factors, np.int64)
        return {"weight": pack_signs(weights) if self.product.is_binary else weights, **tensors}

    @classmethod
    def read_factors(cls, values: Fields) -> tuple[int, ...]:
        """Those of a product's weights in model.pt."""
        return tuple(values.optional_integers("factors").tolist())

    @classmethod
    def read_weights(cls, values: Fields, shape: tuple[int, ...], *, binary: bool) -> NDArray[Any]:
        """Those of model.pt, (rows, ..)."""
        if not binary:
            return values.short_integers("weight", shape)
        rows, *others = shape
        return values.signs("weight", rows, prod(others)).reshape(shape)

    def separated(self, x: TensorType, divisor: int) -> Separated:
        """A division by a power of two comes behind the product, which is the same where nothing is rounded, and where
        the sums are rounded to float32 once, too."""
        if divisor == 1 and is_exact_in_float32(self.product.infer(x)):
            return Separated(self.product, (self.affine,))
        return Separated(self.product_of_sums(divisor), (Divide(divisor), self.affine))

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        product = self.product
        if isinstance(x.element, QuotientType):
            product = self.product_of_sums(x.element.divisor)
            x = TensorType(x.shape, x.element.sums)
        sums = product.infer(x)
        if product.is_binary:
            require_exact_in_float32(sums)
        self.affine.check_channels(product.rows)
        return TensorType(sums.shape, FloatType())

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        return self.affine.reference(self.product.reference(*inputs))

"""From a product of integer weights to what multipliers make of it.

Tests: tests/test_mac_in_hardware.py
"""

import numpy as np

from bnnhw.compiler.ir.ops import Product
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.offsets import carried_as
from bnnhw.compiler.units.product.borders import border_constants
from bnnhw.compiler.units.product.integers import Integers
from bnnhw.compiler.units.step import Step


def build_integers(op: Product, x: TensorType, y: TensorType, *, behind_planes: tuple[Step, ...]) -> Integers:
    """The integer weights of a product that reads values of type x and makes sums of type y.

    With x = lo + step*u: sum of w*x = lo * sum of w + sum of (step*w)*u. From the least sum on these are codes of y,
    where no pixel lacks a constant of its place.
    """
    element, sums = element_of(x), element_of(y)
    weights = op.weights.reshape(op.rows, -1).astype(np.int64)
    borders, constants = border_constants(op, element, x.shape)
    least = int(np.minimum(weights * element.lo, weights * element.hi).sum(axis=1).min())
    codes = Codes(least + constants, 1, sums.hi - sums.lo, borders)
    behind_sums, _ = carried_as(sums, codes)
    return Integers(
        weights=element.step * weights,
        biases=element.lo * weights.sum(axis=1) - least,
        greatest=codes.greatest,
        behind_planes=behind_planes,
        behind_sums=tuple(behind_sums),
    )

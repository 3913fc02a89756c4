"""Sums of +-1 weights times inputs as the hardware has them: mismatches, counted for each bit plane.

With u = (x - lo)/step the unsigned input in k planes and m_p the mismatches of a row's signs with plane p, the
mismatch sum, a Hamming distance where k = 1, is

    m = sum_p 2^p m_p,   and   dot = step*((2^k - 1)*ones - m) + lo*(ones - others),

`ones` and `others` the row's numbers of +1 and -1. For +-1 inputs, k = 1, step = 2 and dot = cols - 2*m. The
conventions are in docs/architecture.md, "Numbers".

Tests: tests/compiler/lowering/test_pipeline.py
"""

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Product
from bnnhw.compiler.ir.types import BinaryType, Element, IntType


def mismatch_thresholds(op: Product, element: Element, thresholds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Thresholds (rows,) on the mismatch sum m: dot >= t where m is at most this; -1 for never, its maximum for always.

    `element` is what the sums are made of (`Product.terms`).
    """
    top, step = top_dots(op, element)
    return np.clip((top - thresholds) // step, -1, op.cols * (2 ** width_of(element) - 1))


def sums_to_dots(op: Product, element: Element) -> tuple[NDArray[np.int64], int]:
    """(offsets, scale) of the last layer, whose weights are inverted: dot = offsets + scale*m."""
    top, step = top_dots(op, element)
    return top - step * op.cols * (2 ** width_of(element) - 1), step


def top_dots(op: Product, element: Element) -> tuple[NDArray[np.int64], int]:
    """(top, step): a row's dot is top - step*m, top its dot at a mismatch sum m of 0."""
    assert isinstance(element, BinaryType | IntType)  # a Product reads no floats
    ones = np.count_nonzero(op.weights.reshape(op.rows, -1) == 1, axis=1).astype(np.int64)
    return element.step * (2**element.width - 1) * ones + element.lo * (2 * ones - op.cols), element.step


def width_of(element: Element) -> int:
    """The bits of an element of a product's input."""
    assert isinstance(element, BinaryType | IntType)  # a Product reads no floats
    return element.width

"""The sum of two values, where two branches meet.

Tests: tests/compiler/ir/ops/test_joins.py
"""

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Sum
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import Element, FloatType, IntType, QuotientType, TensorType


@stored_as("add")
@dataclass(frozen=True)
class Add(Sum):
    """y = a + b of two values of the same shape: exactly for integers; where either is a float, in float32."""

    ARITY = 2
    OBSTACLE = (
        "adds values that are no integers; it adds the sums of layers with binary weights and without scale and bias, "
        "before their batch norm, or what a Sign or Quantise gives"
    )

    def infer(self, *inputs: TensorType) -> TensorType:
        a, b = inputs
        if a.shape != b.shape:
            raise ValueError(f"adds values of one shape, not {a.shape} and {b.shape}")
        return TensorType(a.shape, _total(a.element, b.element))

    def reachable(self, *inputs: Reachable) -> Reachable:
        a, b = inputs
        step = gcd(a.step, b.step)
        steps = (a.step * (a.count - 1) + b.step * (b.count - 1)) // step
        return Reachable(a.lows + b.lows, step, steps + 1)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        a, b = inputs
        if "f" in (a.dtype.kind, b.dtype.kind):
            return as_float32(a) + as_float32(b)
        return np.add(a, b, dtype=np.int64)


def _total(a: Element, b: Element) -> Element:
    """All sums of an element of `a` and one of `b`."""
    if isinstance(a, QuotientType) and isinstance(b, QuotientType) and a.divisor == b.divisor:
        return QuotientType(_integers(a.sums, b.sums), a.divisor)
    if isinstance(a, FloatType) or isinstance(b, FloatType):
        return FloatType()
    return _integers(a, b)


def _integers(a: Element, b: Element) -> IntType:
    assert not isinstance(a, FloatType)
    assert not isinstance(b, FloatType)
    return IntType(a.lo + b.lo, a.hi + b.hi, gcd(a.step, b.step))

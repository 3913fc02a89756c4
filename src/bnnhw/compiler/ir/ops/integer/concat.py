"""Channels side by side, where branches meet.

Tests: tests/compiler/ir/ops/test_joins.py
"""

from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType, IntType, QuotientType, TensorType


@stored_as("concat")
@dataclass(frozen=True)
class Concat(Rearrangement):
    """(…, C1), (…, C2), … -> (…, C1 + C2 + …): the channels of the first value, then those of the next.

    Its elements are the least integers that have those of all values. Bits stay bits, and do not mix with integers that
    are neither -1 nor +1.
    """

    ARITY = None
    OBSTACLE = "joins values that are no integers; put a Sign or Quantise before it, or directly behind it"

    def channels_behind(self, *shapes: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        ends = np.cumsum([shape[-1] for shape in shapes])
        return tuple(np.arange(end - shape[-1], end) for end, shape in zip(ends, shapes, strict=True))

    def infer(self, *inputs: TensorType) -> TensorType:
        first, *others = inputs
        for other in others:
            if not first.shape or other.shape[:-1] != first.shape[:-1]:
                raise ValueError(
                    f"joins values that differ in their channels alone, the last size, not {first.shape} and "
                    f"{other.shape}"
                )
        channels = sum(one.shape[-1] for one in inputs)
        return TensorType((*first.shape[:-1], channels), reduce(_common, (one.element for one in inputs)))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        floats = any(one.dtype.kind == "f" for one in inputs)
        return np.concatenate([as_float32(one) if floats else one for one in inputs], axis=-1)


def _common(a: Element, b: Element) -> Element:
    """The least type that has the elements of both."""
    if a == b:
        return a
    if isinstance(a, QuotientType) and isinstance(b, QuotientType) and a.divisor == b.divisor:
        return QuotientType(_integers(a.sums, b.sums), a.divisor)
    if isinstance(a, FloatType) or isinstance(b, FloatType):
        return FloatType()
    for bits, integers in ((a, b), (b, a)):
        if isinstance(bits, BinaryType) and _integers(bits, integers) != integers:
            raise ValueError(
                f"joins bits, which are -1 or +1, with integers from {integers.lo} to {integers.hi}; make all of them "
                "bits with a Sign, or integers with a Quantise"
            )
    return _integers(a, b)


def _integers(a: BinaryType | IntType, b: BinaryType | IntType) -> IntType:
    return IntType(min(a.lo, b.lo), max(a.hi, b.hi), gcd(a.step, b.step, a.lo - b.lo))

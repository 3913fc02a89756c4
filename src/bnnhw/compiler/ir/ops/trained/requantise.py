"""From sums to values of several bits.

Tests: tests/compiler/ir/ops/test_requantise.py
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw import hls
from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.ops.fields import Fields
from bnnhw.compiler.ir.ops.integer.operator import Operator
from bnnhw.compiler.ir.ops.kinds import Separable, Separated
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import FloatType, IntType, QuotientType, TensorType
from bnnhw.hls.traced import Traced

from .divide import Divide

FACTOR_BITS, OFFSET_BITS, MOST_SHIFT, MOST_EXPONENT = 17, 44, 32, 15
"""Of the fields of a `Requantise`."""
MULTIPLIER_BITS = 18
"""Signed bits of what a multiplier takes: wider sums are multiplied in two parts."""


@stored_as("requantise")
@dataclass(frozen=True, eq=False)
class Requantise(Separable):
    """y[.., c] = clip(floor((factor[c]*x[.., c] + offset[c]) / 2^shift), lo, hi) / 2^exponent, exactly.

    x are integers, or integers over a power of two. This is the network itself, not what is near to it: it stands for
    the batch norm and the rounding that were trained.

    factor, offset: (1,) or (C,) int64, |factor| < 2^17, |offset| < 2^44. The requantisation of Jacob et al.,
    https://arxiv.org/abs/1712.05877, section 2.2, with a shift in the place of a second rounding.
    """

    factor: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: int
    lo: int
    hi: int
    exponent: int

    OBSTACLE = (
        "requantises values that are no integers; it stands behind a layer with binary or integer weights and without "
        "scale and bias, or other values of fixed point"
    )

    def __post_init__(self):
        for name, bits in (("factor", FACTOR_BITS), ("offset", OFFSET_BITS)):
            array = getattr(self, name)
            if array.dtype != np.int64 or array.ndim != 1 or not len(array):
                raise ValueError(f"{name} must be an int64 vector, not {array.dtype} of shape {array.shape}")
            if (bad := np.flatnonzero(np.abs(array) >= 1 << bits)).size:
                raise ValueError(f"{name} must be below 2^{bits}, but channel {bad[0]} has {array[bad[0]]}")
        if 1 not in (len(self.factor), len(self.offset)):
            check_length("offset", self.offset, len(self.factor))
        for name, most in (("shift", MOST_SHIFT), ("exponent", MOST_EXPONENT)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} must lie between 0 and {most}")
        if not -(1 << 24) <= self.lo <= self.hi <= 1 << 24:
            raise ValueError(f"lo={self.lo} and hi={self.hi} must rise and lie within 2^24, float32's integers")

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        numbers = {name: values.integer(name) for name in ("shift", "lo", "hi", "exponent")}
        return cls(values.integers("factor"), values.integers("offset"), **numbers)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        for name in ("factor", "offset"):
            check_length(name, getattr(self, name), 1, x.shape[-1])
        return TensorType(x.shape, QuotientType(IntType(self.lo, self.hi), 2**self.exponent))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        lines = x.astype(np.float64) * self.factor + self.offset
        values = np.clip(np.floor(np.ldexp(lines, -self.shift)), self.lo, self.hi)
        return np.ldexp(values, -self.exponent).astype(np.float32)

    def separated(self, x: TensorType, divisor: int) -> Separated:
        """For integers x over 2^k: floor((factor*x + offset*2^k) / 2^(shift + k)), its floor inside where all factors
        are even."""
        assert not isinstance(x.element, FloatType)
        more = divisor.bit_length() - 1
        offset, shift = self.offset << more, self.shift + more
        even = min(shift, *(int(one & -one).bit_length() - 1 for one in self.factor if one), 64)
        lines = zip(*np.broadcast_arrays(self.factor >> even, offset >> even), strict=True)
        width = max(-x.element.lo - 1, x.element.hi).bit_length() + 1
        traced = line_program(
            tuple((int(a), int(b)) for a, b in lines), shift - even, self.lo, self.hi, width - MULTIPLIER_BITS
        )
        return Separated(Operator(traced), (Divide(2**self.exponent),))


@lru_cache(maxsize=256)
def line_program(lines: tuple[tuple[int, int], ...], shift: int, lo: int, hi: int, low_bits: int) -> Traced:
    """clip((a*x + b) >> shift) of each channel's (a, b); the product in two parts, of which one has the `low_bits` of x
    if there are any."""

    def clipped(line: Any) -> Any:
        return np.minimum(np.maximum(line >> shift, lo), hi)

    factors, offsets = (tuple(each) for each in zip(*lines, strict=True))
    if len(set(lines)) == 1:
        return hls.pointwise(lambda x: clipped(x * factors[0] + offsets[0])).traced()
    if len(set(factors)) == 1:
        return hls.pointwise(b=offsets)(lambda x, b: clipped(x * factors[0] + b)).traced()
    return hls.pointwise(a=factors, b=offsets)(lambda x, a, b: clipped(product_in_parts(x, a, low_bits) + b)).traced()


def product_in_parts(x: Any, factor: Any, low_bits: int) -> Any:
    """factor*x, the `low_bits` of x multiplied apart where there are any."""
    if low_bits <= 0:
        return factor * x
    return ((factor * (x >> low_bits)) << low_bits) + factor * (x & (1 << low_bits) - 1)

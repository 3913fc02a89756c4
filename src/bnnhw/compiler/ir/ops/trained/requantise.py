"""From sums to values of several bits.

Tests: tests/compiler/ir/ops/test_requantise.py
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnhw import hls
from bnnhw.compiler.ir.ops.integer.operator import Operator
from bnnhw.compiler.ir.ops.kinds import Separated
from bnnhw.compiler.ir.ops.lines import ShiftedLine, shifted_line
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import Element, FloatType, TensorType
from bnnhw.hls.traced import Traced

from .divide import Divide
from .fixed_valued import FACTOR_BITS, MULTIPLIER_BITS, OFFSET_BITS, FixedValued, clipped, product_in_parts

MOST_SHIFT = 32
"""Of a `Requantise`."""
MOST_LINE_BITS = 61
"""Of what a program computes."""


@stored_as("requantise")
@dataclass(frozen=True, eq=False)
class Requantise(FixedValued):
    """y[.., c] = clip(floor((factor[c]*x[.., c] + offset[c]) / 2^shift), lo, hi) / 2^exponent, exactly.

    x are integers, or integers over a power of two. This is the network itself, not what is near to it: it stands for
    the batch norm and the rounding that were trained.

    factor, offset: (1,) or (C,) int64, |factor| < 2^17, |offset| < 2^44. The requantisation of Jacob et al.,
    https://arxiv.org/abs/1712.05877, section 2.2, with a shift in the place of a second rounding.
    """

    BITS: ClassVar = {"factor": FACTOR_BITS, "offset": OFFSET_BITS}
    FACTOR = "factor"
    MOST_SHIFT = MOST_SHIFT

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

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        return self.rounded(x.astype(np.float64) * self.factor + self.offset)

    def takes(self, x: TensorType, divisor: int) -> bool:
        """Of averages of any number, one line for all channels, where no quotient's rounding reaches its floor."""
        if super().takes(x, divisor):
            return True
        if len(self.factor) > 1 or len(self.offset) > 1:
            return False
        element, line = x.element, self._line_over(x, divisor)
        assert not isinstance(element, FloatType)
        if line.shift > MOST_LINE_BITS or line.greatest(magnitude(element)) >= 1 << MOST_LINE_BITS:
            return False
        sums = np.arange(element.lo, element.hi + 1, element.step)
        exact = np.clip((sums * line.factor + line.offset) >> line.shift, self.lo, self.hi)
        return np.array_equal(self.reference(Divide(divisor).reference(sums)), np.ldexp(exact, -self.exponent))

    def _line_over(self, x: TensorType, divisor: int) -> ShiftedLine:
        """floor((factor*x + offset*divisor) / (2^shift*divisor))."""
        factor, offset = int(self.factor[0]), int(self.offset[0])
        return shifted_line(factor, offset * divisor, divisor << self.shift, most=magnitude(x.element))

    def separated(self, x: TensorType, divisor: int) -> Separated:
        """For integers x over 2^k: floor((factor*x + offset*2^k) / 2^(shift + k)), its floor inside where all factors
        are even."""
        assert not isinstance(x.element, FloatType)
        if not super().takes(x, divisor):
            line = self._line_over(x, divisor)
            traced = line_program(((line.factor, line.offset),), line.shift, self.lo, self.hi, 0)
            return Separated(Operator(traced), (Divide(2**self.exponent),))
        more = divisor.bit_length() - 1
        offset, shift = self.offset << more, self.shift + more
        even = min(shift, *(int(one & -one).bit_length() - 1 for one in self.factor if one), 64)
        lines = zip(*np.broadcast_arrays(self.factor >> even, offset >> even), strict=True)
        width = max(-x.element.lo - 1, x.element.hi).bit_length() + 1
        traced = line_program(
            tuple((int(a), int(b)) for a, b in lines), shift - even, self.lo, self.hi, width - MULTIPLIER_BITS
        )
        return Separated(Operator(traced), (Divide(2**self.exponent),))


def magnitude(element: Element) -> int:
    """The greatest |x|."""
    assert not isinstance(element, FloatType)
    return max(-element.lo, element.hi)


@lru_cache(maxsize=256)
def line_program(lines: tuple[tuple[int, int], ...], shift: int, lo: int, hi: int, low_bits: int) -> Traced:
    """clip((a*x + b) >> shift) of each channel's (a, b); the product in two parts, of which one has the `low_bits` of x
    if there are any."""

    factors, offsets = (tuple(each) for each in zip(*lines, strict=True))
    if len(set(lines)) == 1:
        return hls.pointwise(lambda x: clipped(x * factors[0] + offsets[0], shift, lo, hi)).traced()
    if len(set(factors)) == 1:
        return hls.pointwise(b=offsets)(lambda x, b: clipped(x * factors[0] + b, shift, lo, hi)).traced()
    return hls.pointwise(a=factors, b=offsets)(
        lambda x, a, b: clipped(product_in_parts(x, a, low_bits) + b, shift, lo, hi)
    ).traced()

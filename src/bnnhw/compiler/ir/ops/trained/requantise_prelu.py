"""A leaking rectifier of values of fixed point.

Tests: tests/compiler/ir/ops/test_requantise_prelu.py
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnhw import hls
from bnnhw.compiler.ir.ops.integer.operator import Operator
from bnnhw.compiler.ir.ops.kinds import Separated
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import FloatType, TensorType
from bnnhw.hls.traced import Traced

from .divide import Divide
from .fixed_valued import FACTOR_BITS, MULTIPLIER_BITS, OFFSET_BITS, FixedValued, clipped, product_in_parts

MOST_SLOPE_SHIFT = 16


@stored_as("requantise_prelu")
@dataclass(frozen=True, eq=False)
class RequantisePRelu(FixedValued):
    """y[.., c] = clip(floor((2^shift*max(d, 0) + slope[c]*min(d, 0) + offset[c]) / 2^shift), lo, hi) / 2^exponent,
    exactly, where d = 2^exponent*x[.., c] - knee[c].

    x are integers, or integers over a power of two. knee, slope, offset: (1,) or (C,) int64, below 2^24, 2^17 and 2^44
    in magnitude. It is leaky ReLU and PReLU (He et al., https://arxiv.org/abs/1502.01852), and with knee and offset
    RPReLU (Liu et al., https://arxiv.org/abs/2003.03488, equation 3).
    """

    BITS: ClassVar = {"knee": 24, "slope": FACTOR_BITS, "offset": OFFSET_BITS}
    FACTOR = "slope"
    MOST_SHIFT = MOST_SLOPE_SHIFT

    knee: NDArray[np.int64]
    slope: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: int
    lo: int
    hi: int
    exponent: int

    OBSTACLE = (
        "bends values that are no integers; it stands behind values of fixed point: a Requantise, or sums of such"
    )

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        d = np.ldexp(inputs[0].astype(np.float64), self.exponent) - self.knee
        lines = np.ldexp(np.maximum(d, 0), self.shift) + self.slope * np.minimum(d, 0) + self.offset
        return self.rounded(lines)

    def separated(self, x: TensorType, divisor: int) -> Separated:
        """For integers x over 2^k everything is over 2^k or 2^exponent, the larger of both."""
        assert not isinstance(x.element, FloatType)
        own = divisor.bit_length() - 1
        finest = max(own, self.exponent)
        more = finest - self.exponent
        bends = zip(*np.broadcast_arrays(self.knee << more, self.slope, self.offset << more), strict=True)
        greatest = (max(-x.element.lo, x.element.hi) << finest - own) + (int(np.abs(self.knee).max()) << more)
        traced = bent_program(
            tuple((int(a), int(b), int(c)) for a, b, c in bends), finest - own, self.shift, self.shift + more,
            self.lo, self.hi, greatest.bit_length() + 1 - MULTIPLIER_BITS,
        )  # fmt: skip
        return Separated(Operator(traced), (Divide(2**self.exponent),))


@lru_cache(maxsize=256)
def bent_program(
    bends: tuple[tuple[int, int, int], ...], up: int, shift: int, down: int, lo: int, hi: int, low_bits: int
) -> Traced:
    """clip((2^shift*max(d, 0) + slope*min(d, 0) + offset) >> down), d = 2^up*x - knee, of each channel's (knee, slope,
    offset); the `low_bits` of d multiplied apart where there are any."""

    def bent(x: Any, knee: Any, slope: Any, offset: Any) -> Any:
        d = (x << up) - knee
        line = (np.maximum(d, 0) << shift) + product_in_parts(np.minimum(d, 0), slope, low_bits) + offset
        return clipped(line, down, lo, hi)

    knees, slopes, offsets = (tuple(each) for each in zip(*bends, strict=True))
    if len(set(bends)) == 1:
        return hls.pointwise(lambda x: bent(x, knees[0], slopes[0], offsets[0])).traced()
    if len({*knees}) == len({*offsets}) == 1:
        return hls.pointwise(slope=slopes)(lambda x, slope: bent(x, knees[0], slope, offsets[0])).traced()
    return hls.pointwise(knee=knees, slope=slopes, offset=offsets)(bent).traced()

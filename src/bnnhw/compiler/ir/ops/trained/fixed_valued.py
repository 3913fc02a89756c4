"""What ops that give values of fixed point share: vectors of integers, and the rounding at the end.

Tests: tests/compiler/ir/ops/test_requantise.py
Tests: tests/compiler/ir/ops/test_requantise_prelu.py
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.ops.fields import Fields
from bnnhw.compiler.ir.ops.kinds import Separable
from bnnhw.compiler.ir.types import FLOAT32_EXACT, IntType, QuotientType, TensorType

FACTOR_BITS, OFFSET_BITS, MOST_EXPONENT = 17, 44, 15
"""Of factors and offsets, and of the power of two that values are over."""
MULTIPLIER_BITS = 18
"""Signed bits of what a multiplier takes: wider sums are multiplied in two parts."""


class FixedValued(Separable):
    """y = clip(floor(lines / 2^shift), lo, hi) / 2^exponent, of lines that follow from x and from vectors of integers,
    each of one element or of each channel: those of `BITS`, below 2^bits in magnitude."""

    BITS: ClassVar[Mapping[str, int]]
    FACTOR: ClassVar[str]
    """The vector that the others are to be as long as."""
    MOST_SHIFT: ClassVar[int]

    shift: int
    lo: int
    hi: int
    exponent: int

    def __post_init__(self):
        for name, bits in self.BITS.items():
            array = getattr(self, name)
            if array.dtype != np.int64 or array.ndim != 1 or not len(array):
                raise ValueError(f"{name} must be an int64 vector, not {array.dtype} of shape {array.shape}")
            if (bad := np.flatnonzero(np.abs(array) >= 1 << bits)).size:
                raise ValueError(f"{name} must be below 2^{bits}, but channel {bad[0]} has {array[bad[0]]}")
        lengths = {name: len(getattr(self, name)) for name in self.BITS}
        self.check_channels(lengths[self.FACTOR] if lengths[self.FACTOR] > 1 else max(lengths.values()))
        for name, most in (("shift", self.MOST_SHIFT), ("exponent", MOST_EXPONENT)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} must lie between 0 and {most}")
        if not -FLOAT32_EXACT <= self.lo <= self.hi <= FLOAT32_EXACT:
            raise ValueError(f"lo={self.lo} and hi={self.hi} must rise and lie within 2^24, float32's integers")

    def check_channels(self, channels: int) -> None:
        """Raise ValueError, which names the vector, unless all are for so many channels."""
        for name in self.BITS:
            check_length(name, getattr(self, name), 1, channels)

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        vectors: dict[str, Any] = {name: values.integers(name) for name in cls.BITS}
        numbers = {name: values.integer(name) for name in ("shift", "lo", "hi", "exponent")}
        return cls(**vectors, **numbers)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        self.check_channels(x.shape[-1])
        return TensorType(x.shape, QuotientType(IntType(self.lo, self.hi), 2**self.exponent))

    def rounded(self, lines: NDArray[Any]) -> NDArray[np.float32]:
        """The values of lines."""
        values = np.clip(np.floor(np.ldexp(lines, -self.shift)), self.lo, self.hi)
        return np.ldexp(values, -self.exponent).astype(np.float32)


def clipped(line: Any, shift: int, lo: int, hi: int) -> Any:
    """clip(line >> shift), as operators have it."""
    return np.minimum(np.maximum(line >> shift, lo), hi)


def product_in_parts(x: Any, factor: Any, low_bits: int) -> Any:
    """factor*x, the `low_bits` of x multiplied apart where there are any."""
    if low_bits <= 0:
        return factor * x
    return ((factor * (x >> low_bits)) << low_bits) + factor * (x & (1 << low_bits) - 1)

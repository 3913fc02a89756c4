"""Lines over any divisor, as hardware has them: a product, a sum and a shift.

Tests: tests/compiler/ir/ops/test_lines.py
"""

from dataclasses import dataclass
from math import gcd

__all__ = ["ShiftedLine", "shifted_line"]


@dataclass(frozen=True)
class ShiftedLine:
    """y = (factor*x + offset) >> shift."""

    factor: int
    offset: int
    shift: int

    def greatest(self, most: int) -> int:
        """What no product or sum exceeds in magnitude for |x| <= most."""
        return abs(self.factor) * most + abs(self.offset)


def shifted_line(factor: int, offset: int, divisor: int, *, most: int) -> ShiftedLine:
    """floor((factor*x + offset) / divisor) for all integers |x| <= most, exactly.

    With 2^S >= divisor*(most + 1), A = the integer nearest to factor*2^S/divisor and B the least one of at least
    offset*2^S/divisor + most/2, (A*x + B)/2^S lies above the line by less than (most + 1)/2^S <= 1/divisor, or on it.
    The line's values are multiples of 1/divisor, so no integer lies between.
    """
    common = gcd(factor, offset, divisor)
    factor, offset, divisor = factor // common, offset // common, divisor // common
    shift = (divisor * (most + 1) - 1).bit_length()
    nearest = (2 * (factor << shift) + divisor) // (2 * divisor)
    above = -(-(2 * (offset << shift) + most * divisor) // (2 * divisor))
    return ShiftedLine(nearest, above, shift)

"""MaxPool: the greatest element of each window."""

from amaranth.hdl import Mux, Value

from .pool import Pool

__all__ = ["MaxPool"]


class MaxPool(Pool):
    """o[y, x, c] = max over ky, kx of i[y * sy + ky, x * sx + kx, c]; of bits, which are -1 and +1, the OR.

    See `Pool`.
    """

    def bits_of(self, elements: int) -> int:
        return self.element_bits

    def combine(self, a: Value, b: Value) -> Value:
        return a | b if self.element_bits == 1 else Mux(a > b, a, b)

    def combining_lut4(self, count: int, bits: int) -> int:
        if bits == 1:
            return -(-(count - 1) // 3) if count else 0
        return max(0, count - 1) * (2 * bits + bits // 8 * 2)  # the comparison and the choice

"""MaxPool: the greatest element of each window.

Tests: tests/hw/pool/test_pool.py
"""

from amaranth.hdl import Mux, Value

from .pool import Pool

__all__ = ["MaxPool"]


class MaxPool(Pool):
    """o[y, x, c] = max over ky, kx of i[y * sy + ky, x * sx + kx, c]; of bits, which are -1 and +1, the OR.

    See `Pool`.
    """

    KIND = "max"

    def combine(self, a: Value, b: Value) -> Value:
        return a | b if self.shape.element_bits == 1 else Mux(a > b, a, b)

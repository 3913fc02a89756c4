"""SumPool: the sum of each window, exact; average pooling but for the division.

Tests: tests/hw/pool/test_pool.py
"""

from amaranth.hdl import Value

from .pool import Pool

__all__ = ["SumPool"]


class SumPool(Pool):
    """o[y, x, c] = sum over ky, kx of i[y * sy + ky, x * sx + kx, c], with as many bits as the greatest sum.

    See `Pool`.

    Of bits b, which are -1 and +1, it is the number of +1: the sum of the signs is 2 * o - wh * ww. With the window
    (height, width) it is global average pooling.
    """

    KIND = "sum"

    def combine(self, a: Value, b: Value) -> Value:
        return a + b

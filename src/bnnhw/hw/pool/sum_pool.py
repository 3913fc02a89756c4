"""SumPool: the sum of each window, exact; average pooling but for the division."""

from amaranth.hdl import Value

from .pool import Pool

__all__ = ["SumPool"]


class SumPool(Pool):
    """o[y, x, c] = sum over ky, kx of i[y * sy + ky, x * sx + kx, c], with as many bits as the greatest sum.

    See `Pool`.

    Of bits b, which are -1 and +1, it is the number of +1: the sum of the signs is 2 * o - wh * ww. With the window
    (height, width) it is global average pooling.
    """

    def bits_of(self, elements: int) -> int:
        return (self.greatest * elements).bit_length()

    def combine(self, a: Value, b: Value) -> Value:
        return a + b

    def combining_lut4(self, count: int, bits: int) -> int:
        if count < 2:
            return 0
        if self.element_bits == 1 and count > 2:
            return bits if count <= 4 else round(1.1 * count)
        # Yosys adds more than two in full adders of two LUT4, and the last two with carry cells, of two bits each.
        return (count - 2) * 2 * self.element_bits + (bits if bits <= 4 else 2 * -(-bits // 2))

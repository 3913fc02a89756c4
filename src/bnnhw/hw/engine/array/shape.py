"""The sizes of an engine's array, and its delays.

Tests: tests/hw/engine/array/test_array.py
"""

from dataclasses import dataclass

from bnnhw.hw.product.popcount_plan import Popcount, plan_popcount
from bnnhw.hw.targets import Target, check_target

__all__ = ["ArrayShape"]


@dataclass(frozen=True, kw_only=True)
class ArrayShape:
    """pixels x rows sums, to each of which a cycle adds `simd` products of signs.

    Groups of `group_pixels` x `group_rows` sums have their own registers of words and weights, which pass from group to
    group, a cycle for each: words from row group to row group, weights from pixel group to pixel group. So no word is
    on a wire across the chip.

    Parameters
    ----------
    pixels, rows, simd : int
        simd is even, and a multiple of rows.
    group_pixels, group_rows : int
        Divisors of pixels and of rows.
    sum_width : int
        Bits of a sum; greater ones wrap.
    levels : int
        Adders of a popcount from register to register.
    target : Target

    Raises
    ------
    ValueError
        Where a size does not divide what it must.
    """

    pixels: int
    rows: int
    simd: int
    group_pixels: int = 4
    group_rows: int = 2
    sum_width: int = 18
    levels: int = 2
    target: Target

    def __post_init__(self):
        check_target(self.target)
        for name, of, whole in (
            ("group_pixels", "pixels", self.pixels),
            ("group_rows", "rows", self.rows),
            ("rows", "simd", self.simd),
        ):
            part = getattr(self, name)
            if part < 1 or whole % part:
                raise ValueError(f"{name}={part} must divide {of}={whole}")
        if self.levels < 1:
            raise ValueError(f"levels={self.levels} must be at least 1")
        if self.simd < 4 or self.simd % 2:
            raise ValueError(f"simd={self.simd} must be even and at least 4")
        if self.sum_width <= self.simd.bit_length():
            raise ValueError(
                f"sum_width={self.sum_width} must be more than the {self.simd.bit_length()} bits of a count"
            )

    @property
    def pixel_groups(self) -> int:
        """Groups across the pixels."""
        return self.pixels // self.group_pixels

    @property
    def row_groups(self) -> int:
        """Groups across the rows: the cycles in which a tile's sums leave, and so the fewest beats of a tile."""
        return self.rows // self.group_rows

    @property
    def macs(self) -> int:
        """Products a cycle."""
        return self.pixels * self.rows * self.simd

    @property
    def popcount(self) -> Popcount:
        """That of all products of a word but one, which the sum's own adder takes as its carry."""
        return plan_popcount(self.simd - 1, levels=self.levels, registered=False)

    @property
    def latency(self) -> int:
        """Cycles from a tile's last beat at the array's ports to the sums of the first groups at `sums`."""
        return 1 + (self.popcount.latency + 1) + 1 + self.merge_latency

    @property
    def merge_latency(self) -> int:
        """Registers where the row groups' sums become one stream."""
        return 2

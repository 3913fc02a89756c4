"""The sizes and the timing of a matrix unit, without its weights: what a cost model needs to know.

Tests: tests/hw/product/test_matrix_unit.py
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bnnhw.hw.storage.weight_rom import rom_luts

from .folded_shape import FoldedShape
from .popcount_plan import Popcount, plan_popcount
from .product_shape import BinaryShape

__all__ = ["POPCOUNT_LEVELS", "MatrixShape"]

POPCOUNT_LEVELS = 2
"""Adders between two registers of a PE: with one, the sums' registers would outnumber the LUTs."""

GROUP_PE = 4
"""PEs at most that hear the same register of the input word, and ..."""
GROUP_BITS = 1024
"""... bits that they multiply in a cycle, unless there is only one."""


@dataclass(frozen=True, kw_only=True)
class MatrixShape(BinaryShape, FoldedShape):
    """A (rows, cols) matrix of +1/-1 times vectors of `planes`-bit numbers, `pe` rows by `simd` columns in a cycle.

    The work on a vector: for each of rows / row_groups / pe row folds, for each bit plane, words = cols / simd beats.
    Parameters: see `FoldedShape` and `BinaryShape`.

    levels : int
        Above 0, inputs are codes from 0 to `levels`, of `planes` bits, and the planes are those of their thermometer,
        bit n of which says code > n: each has a sum of its own, so that a row has as many results. They have no
        thresholds then.
    """

    levels: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.levels < 0:
            raise ValueError(f"levels={self.levels} must be at least 0")
        if self.levels and self.thresholded:
            raise ValueError(f"levels={self.levels} have sums of their own, which have no thresholds")
        if self.levels and self.planes != self.levels.bit_length():
            raise ValueError(
                f"planes={self.planes} must be the {self.levels.bit_length()} bits of codes up to levels={self.levels}"
            )

    @property
    def row_results(self) -> int:
        return self.levels or 1

    @property
    def passes(self) -> int:
        """Planes at work, one after the other."""
        return self.levels or self.planes

    @property
    def greatest_sum(self) -> int:
        return self.cols if self.levels else super().greatest_sum

    @property
    def weights_width(self) -> int:
        return self.simd

    @property
    def fold_beats(self) -> int:
        return self.words * self.passes

    @property
    def start_bits(self) -> int:
        """Bits of a threshold that stand beside a PE's weights in each word of the ROM; 0 where a ROM of its own in
        LUTs, a word for each row fold, is cheaper."""
        if not self.thresholded or self.store != "block":
            return 0
        bits = -(-self.accumulator_width // self.words)
        fabric = self.target.fabric
        beside = bits * fabric.block_ram_luts / max(fabric.block_ram_shapes.values())
        return bits if beside < rom_luts(fabric, self.folds, self.accumulator_width) else 0

    @property
    def rom_bits(self) -> int:
        """Bits of the weight ROM for each PE."""
        return self.simd + self.start_bits

    @property
    def accumulator_width(self) -> int:
        """Bits of an accumulator; with thresholds it has a sign."""
        return self.sum_width + self.thresholded

    @property
    def group_pe(self) -> int:
        """PEs of a group; the last group may have fewer."""
        return min(self.pe, GROUP_PE, max(1, GROUP_BITS // (self.simd * self.vectors)))

    def groups(self) -> Iterator[range]:
        """The PEs of each group."""
        for start in range(0, self.pe, self.group_pe):
            yield range(start, min(self.pe, start + self.group_pe))

    @property
    def group_count(self) -> int:
        return -(-self.pe // self.group_pe)

    @property
    def word_registered(self) -> bool:
        """Whether the word passes a register between the input buffer and group 0: where its bit plane is selected, and
        behind block RAM, which is slow."""
        return self.planes > 1 or self.buffer_in_block_ram

    @property
    def popcount(self) -> Popcount:
        """The popcount of simd - 1 bits. The last bit is the carry of the accumulator, which is its last level."""
        return plan_popcount(self.simd - 1, levels=POPCOUNT_LEVELS, registered=False)

    @property
    def pipeline_latency(self) -> int:
        return self.operand_latency + self.popcount.latency + self.group_count

"""The sizes and the timing of a MAC unit, without its weights: what a cost model needs to know.

Tests: tests/hw/mac/test_unit.py
"""

from dataclasses import dataclass

import numpy as np

from bnnhw.hls.intervals import width_of
from bnnhw.hls.scheduling.delays import WIDEST_FACTOR
from bnnhw.hw.product.folded_shape import FoldedShape

from .adder_tree import tree_widths

__all__ = ["MacShape", "weight_bits"]


def weight_bits(weights: np.ndarray) -> int:
    """Bits of the weights in two's complement."""
    return width_of((min(-1, int(weights.min())), int(weights.max())))


@dataclass(frozen=True, kw_only=True)
class MacShape(FoldedShape):
    """A (rows, cols) matrix of integers times vectors of unsigned numbers, `pe` rows by `simd` columns in a cycle.

    The work on a vector: for each of rows / row_groups / pe row folds, words = cols / simd beats.

    Parameters
    ----------
    weight_bits : int
        Of a weight in two's complement.
    sum_bits : int
        Of a result, modulo 2^sum_bits.
    others
        See `FoldedShape`.
    """

    weight_bits: int
    sum_bits: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, width in (("planes", self.planes), ("weight_bits", self.weight_bits)):
            if not 1 <= width <= WIDEST_FACTOR:
                raise ValueError(f"{name}={width} must be in 1..{WIDEST_FACTOR}, what a multiplier takes")
        if self.sum_bits < 1:
            raise ValueError(f"sum_bits={self.sum_bits} must be at least 1")

    @property
    def multipliers(self) -> int:
        return self.vectors * self.pe * self.simd

    @property
    def weights_width(self) -> int:
        return self.simd * self.weight_bits

    @property
    def fold_beats(self) -> int:
        return self.words

    @property
    def word_registered(self) -> bool:
        """Whether the word passes a register between the input buffer and the multipliers: behind block RAM."""
        return self.buffer_in_block_ram

    @property
    def result_width(self) -> int:
        return self.sum_bits

    @property
    def product_bits(self) -> int:
        """Bits of a product in two's complement, or as many of them as the result has."""
        return min(self.planes + self.weight_bits, self.sum_bits)

    @property
    def tree(self) -> list[list[int]]:
        """Bits of the sums of each level of a row's adder tree."""
        return tree_widths(self.simd, self.product_bits, self.sum_bits)

    @property
    def sums_latency(self) -> int:
        """Cycles from a beat's begin to its products' sum at the accumulators: the registers of the factors, of the
        products and of the tree."""
        return self.operand_latency + 2 + len(self.tree)

    @property
    def pipeline_latency(self) -> int:
        return self.sums_latency + 1

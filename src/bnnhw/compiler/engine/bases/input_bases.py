"""A layer's inputs as sums of bases of +-1, each a map of its own.

Tests: tests/compiler/engine/test_levels.py
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["ONE_BASIS", "InputBases"]


@dataclass(frozen=True)
class InputBases:
    """inputs = (offset + the sum of factors[i] * bits of the i-th maps) / 2^halved, bits +-1."""

    factors: tuple[int, ...] = (1,)
    offset: int = 0
    halved: int = 0

    @classmethod
    def of_levels(cls, values: tuple[int, ...]) -> "InputBases":
        """Those of codes 0, 1, .. that stand for `values`: the i-th bit says whether a code is more than i."""
        steps, ends = np.diff(values).tolist(), values[0] + values[-1]
        if ends % 2 or any(step % 2 for step in steps):
            return cls(tuple(steps), ends, 1)
        return cls(tuple(step // 2 for step in steps), ends // 2)

    def __len__(self) -> int:
        return len(self.factors)

    def pad_value(self, number: int) -> int | None:
        """What padding with a number is for the bits: all -1, or the middle of both, which is a product of 0; None
        where they have nothing that is this number."""
        if number << self.halved == self.offset - sum(self.factors):
            return -1
        return 0 if number << self.halved == self.offset else None


ONE_BASIS = InputBases()
"""Inputs that are what their bits are, of one plane or several."""

"""A layer's weights as sums of bases of +-1, each times an integer.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.ir.types import Element
from bnnhw.compiler.passes.split_weights import planes_of
from bnnhw.compiler.units.product.mismatches import top_dots

__all__ = ["WeightBases", "weight_bases"]


@dataclass(frozen=True, eq=False)
class WeightBases:
    """weights = the sum of factors[b] * signs[:, b], over 2^halved; the greatest factor first.

    signs : (rows, bases, kernel height, kernel width, channels) of +-1
    """

    signs: NDArray[np.int8]
    factors: tuple[int, ...]
    halved: int = 0

    @property
    def doubles(self) -> tuple[bool, ...] | None:
        """Where factors are 2^k, .., 2, 1, some perhaps twice: of each whether what comes before it is worth twice as
        much, so that no factor is needed. None where they are others."""
        steps = [(before == 2 * after, before == after) for before, after in pairwise(self.factors)]
        if self.factors[-1] != 1 or not all(any(step) for step in steps):
            return None
        return False, *(twice for twice, _ in steps)

    def tops(self, element: Element) -> NDArray[np.int64]:
        """(rows, bases): the dot products of each basis where a sum of mismatches is 0."""
        columns = [top_dots(Conv(np.ascontiguousarray(self.signs[:, b])), element)[0] for b in range(len(self.factors))]
        return np.stack(columns, axis=1)


@lru_cache(maxsize=256)
def weight_bases(conv: Conv) -> WeightBases:
    """Those of a convolution: one of +-1, or as many as its integers need."""
    if conv.is_binary:
        return WeightBases(conv.weights[:, None], (1,))
    planes = planes_of(conv)
    order = np.argsort([-factor for factor in planes.factors], kind="stable")
    signs = planes.rows.reshape(conv.rows, len(order), *conv.weights.shape[1:])
    return WeightBases(signs[:, order], tuple(planes.factors[basis] for basis in order), planes.halved)

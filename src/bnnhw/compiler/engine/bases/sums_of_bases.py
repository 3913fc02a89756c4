"""What the host makes of a last layer's sums where weights and inputs are sums of bases.

Tests: tests/compiler/engine/test_levels.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SumsOfBases"]


@dataclass(frozen=True, eq=False)
class SumsOfBases:
    """A row's dot product = (factors @ its sums + offset) / 2^halved.

    factors : (sums of a row,) int64
    offsets : (rows,) int64
    """

    factors: NDArray[np.int64]
    offsets: NDArray[np.int64]
    halved: int

    def dots(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """(.., rows) of (.., rows * sums of a row)."""
        of_rows = sums.reshape(*sums.shape[:-1], len(self.offsets), len(self.factors))
        return of_rows @ self.factors + self.offsets >> self.halved

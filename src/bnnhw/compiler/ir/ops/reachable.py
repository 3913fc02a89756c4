"""What each channel of a value can be.

Tests: tests/compiler/passes/test_fold_batch_norm.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reachable:
    """The integers that a channel can reach: lows[channel] + step*k for k in [0, count). All reach equally many."""

    lows: NDArray[np.int64]
    step: int
    count: int

    @property
    def highs(self) -> NDArray[np.int64]:
        return self.lows + self.step * (self.count - 1)

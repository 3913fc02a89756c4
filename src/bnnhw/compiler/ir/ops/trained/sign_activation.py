"""What activations of one bit share.

Tests: tests/compiler/passes/test_crossings.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.integer.threshold import Threshold
from bnnhw.compiler.ir.ops.kinds import Activation


class SignActivation(Activation):
    """+1 or -1; the one level is +1. NaN gives -1."""

    DEFINED_FOR_NAN = True

    @property
    def levels(self) -> int:
        return 1

    def reached(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        return (self.reference(x) == 1)[None]

    def thresholded(self, thresholds: NDArray[np.int64], channels: int) -> Threshold:
        return Threshold(thresholds[0])

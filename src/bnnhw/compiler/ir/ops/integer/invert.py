"""Some channels turned upside down: what an activation is that falls, behind thresholds, which rise.

Tests: tests/compiler/passes/test_fold_input_threshold.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.checks import check_length
from bnnhw.compiler.ir.types import FloatType, TensorType


@dataclass(frozen=True, eq=False)
class Invert(Op):
    """y[…, c] = total - x[…, c] in the channels that are set, x elsewhere; total is x's least number and its greatest.

    channels: (C,) bool. Bits are negated, total = 0; integers from 0 to n become n - x.
    """

    INTEGER = True

    channels: NDArray[np.bool_]
    total: int

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType) or x.element.lo + x.element.hi != self.total:
            raise ValueError(f"turns integers upside down whose least and greatest add up to {self.total}, not {x}")
        check_length("channels", self.channels, x.shape[-1] if x.shape else 1)
        return x

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.where(self.channels, self.total - x, x).astype(np.int64, copy=False)

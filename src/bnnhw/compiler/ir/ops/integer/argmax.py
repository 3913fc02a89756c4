"""The label: which score is greatest.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import IntType, TensorType


@dataclass(frozen=True)
class ArgMax(Op):
    """The index of the greatest of (classes,) scores; among equals the lowest index."""

    INTEGER = True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if len(x.shape) != 1:
            raise ValueError(f"reads one score a class, not shape {x.shape}")
        return TensorType((), IntType(0, x.shape[0] - 1))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.argmax(x, axis=1)

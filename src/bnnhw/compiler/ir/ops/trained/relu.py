"""The rectifier.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import stored_as


@stored_as("relu")
@dataclass(frozen=True)
class Relu(Elementwise):
    """y = max(x, 0)."""

    MONOTONE = True

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        return np.maximum(as_float32(x), np.float32(0))

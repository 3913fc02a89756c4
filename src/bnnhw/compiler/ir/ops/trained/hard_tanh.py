"""The clipped identity.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import BinaryType, TensorType


@stored_as("hard_tanh")
@dataclass(frozen=True)
class HardTanh(Elementwise):
    """y = min(max(x, -1), 1)."""

    MONOTONE = True

    def is_identity(self, x: TensorType) -> bool:
        return x.element == BinaryType()

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        return np.clip(as_float32(x), np.float32(-1), np.float32(1))

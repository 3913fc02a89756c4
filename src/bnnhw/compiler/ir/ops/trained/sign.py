"""The sign that makes activations binary.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import BinaryType, TensorType

from .sign_activation import SignActivation


@stored_as("sign")
@dataclass(frozen=True)
class Sign(SignActivation):
    """y = +1 if x >= 0 else -1. So sign(0) = +1, and a NaN gives -1."""

    def is_identity(self, x: TensorType) -> bool:
        return x.element == BinaryType()

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        return TensorType(x.shape, BinaryType())

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.where(x >= 0, np.int64(1), np.int64(-1))

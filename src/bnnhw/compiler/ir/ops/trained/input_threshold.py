"""The binarisation of a network's input.

Tests: tests/compiler/passes/test_fold_output.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import BinaryType, TensorType, require_exact_in_float32

from .sign_activation import SignActivation


@stored_as("input_threshold")
@dataclass(frozen=True)
class InputThreshold(SignActivation):
    """y = +1 if float32(x) >= float32(threshold) else -1, for every element alike."""

    threshold: float

    def __post_init__(self):
        if not np.isfinite(self.threshold):
            raise ValueError(f"threshold must be finite, not {self.threshold}")

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        return TensorType(x.shape, BinaryType())

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.where(as_float32(x) >= np.float32(self.threshold), np.int64(1), np.int64(-1))

"""The identity: what dropout and its like become in eval mode.

Tests: tests/compiler/passes/test_drop_identities.py
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import TensorType


@stored_as("identity")
@dataclass(frozen=True)
class Identity(Op):
    """y = x."""

    def is_identity(self, x: TensorType) -> bool:
        return True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        return x

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return x

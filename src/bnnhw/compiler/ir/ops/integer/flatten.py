"""Flattening: a change of shape that costs nothing in a stream.

Tests: tests/compiler/passes/test_integerize.py
"""

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.kinds import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import TensorType


@stored_as("flatten")
@dataclass(frozen=True)
class Flatten(Rearrangement):
    """(H, W, C) -> (H*W*C,), in raster order with the channel fastest."""

    STREAMS_THROUGH = True

    def moves_values(self, x: TensorType) -> bool:
        return math.prod(x.shape[:-1]) == 1

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        return TensorType((x.size,), x.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return x.reshape(len(x), math.prod(x.shape[1:]))

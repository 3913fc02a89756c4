"""A scale and a shift.

Tests: tests/compiler/passes/test_fold_output.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.checks import check_length, parameter
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import stored_as


@stored_as("affine")
@dataclass(frozen=True, eq=False)
class Affine(Elementwise):
    """y[…, c] = x[…, c]*weight[c] + bias[c] in float32, rounded after each of the two steps; a missing one is no step.

    weight, bias: (1,) or (C,).
    """

    MONOTONE = True

    weight: NDArray[np.float32] | None
    bias: NDArray[np.float32] | None

    def __post_init__(self):
        for name in ("weight", "bias"):
            if (array := getattr(self, name)) is not None:
                parameter(name, array)

    @property
    def divides_by(self) -> int | None:
        return 1 if self.weight is None and self.bias is None else None

    def check_channels(self, channels: int) -> None:
        check_length("weight", self.weight, 1, channels)
        check_length("bias", self.bias, 1, channels)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        y = as_float32(x)
        with np.errstate(over="ignore", invalid="ignore"):
            y = y if self.weight is None else y * self.weight
            return y if self.bias is None else y + self.bias

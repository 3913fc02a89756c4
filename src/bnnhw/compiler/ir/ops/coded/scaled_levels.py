"""What codes stand for in fixed point.

Tests: tests/compiler/ir/ops/test_coded.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.kinds import Separable, Separated
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.trained.divide import Divide
from bnnhw.compiler.ir.ops.trained.fixed_valued import MOST_EXPONENT
from bnnhw.compiler.ir.types import QuotientType, TensorType

from .levels import Levels

MOST_BITS = 16
"""Of a value, its sign left out."""


@stored_as("levels")
@dataclass(frozen=True, eq=False)
class ScaledLevels(Separable):
    """y = values[x] / 2^exponent, float32, for codes x from 0 to len(values) - 1.

    values: int64, below 2^16 in magnitude. exponent: 0 to 15.
    """

    values: NDArray[np.int64]
    exponent: int

    OBSTACLE = "looks up what no codes are; it stands behind a thermometer"

    def __post_init__(self):
        if self.values.dtype != np.int64 or self.values.ndim != 1:
            raise ValueError(f"values must be an int64 vector, not {self.values.dtype} of shape {self.values.shape}")
        if (bad := np.flatnonzero(np.abs(self.values) >= 1 << MOST_BITS)).size:
            raise ValueError(f"values must be below 2^{MOST_BITS}, but value {bad[0]} is {self.values[bad[0]]}")
        if not 0 <= self.exponent <= MOST_EXPONENT:
            raise ValueError(f"exponent={self.exponent} must lie between 0 and {MOST_EXPONENT}")
        self.of_codes  # noqa: B018 it checks their number

    @property
    def of_codes(self) -> Levels:
        """The integer part."""
        return Levels(tuple(self.values.tolist()))

    def takes(self, x: TensorType, divisor: int) -> bool:
        return divisor == 1

    def separated(self, x: TensorType, divisor: int) -> Separated:
        return Separated(self.of_codes, (Divide(2**self.exponent),))

    def infer(self, *inputs: TensorType) -> TensorType:
        integers = self.of_codes.infer(*inputs)
        return TensorType(integers.shape, QuotientType(self.of_codes.element, 2**self.exponent))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        return np.ldexp(self.of_codes.reference(*inputs), -self.exponent).astype(np.float32)

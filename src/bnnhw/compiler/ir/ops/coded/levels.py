"""What codes stand for.

Tests: tests/compiler/ir/ops/test_coded.py
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType

MOST_VALUES = 256


@dataclass(frozen=True)
class Levels(Op):
    """y = values[x], for codes x from 0 to len(values) - 1.

    A product that reads it has a plane for each step from value to value, where a sum of powers of two would have more.
    """

    INTEGER = True

    values: tuple[int, ...]

    def __post_init__(self):
        if not 2 <= len(self.values) <= MOST_VALUES:
            raise ValueError(f"there must be 2 to {MOST_VALUES} values, not {len(self.values)}")

    @cached_property
    def element(self) -> IntType:
        """The least type that has all values."""
        lo, hi = min(self.values), max(self.values)
        return IntType(lo, hi, int(np.gcd.reduce(np.array(self.values) - lo)) or 1)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            raise TypeError("reads float values; codes are integers")
        if x.element.lo < 0 or x.element.hi >= len(self.values):
            raise ValueError(
                f"reads {x}, and its codes go from 0 to {len(self.values) - 1}; it stands behind a Thermometer"
            )
        return TensorType(x.shape, self.element)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        (x,) = inputs
        return np.array(self.values, np.int64)[x.astype(np.int64)]

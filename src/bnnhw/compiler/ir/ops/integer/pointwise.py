"""An operator that its user wrote in Python, on each element by itself.

Tests: tests/test_pointwise_operators.py
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.fields import Fields
from bnnhw.compiler.ir.ops.stored import Plain, stored_as
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType
from bnnhw.hls.program import Program, run
from bnnhw.hls.ranges import with_ranges
from bnnhw.hls.stored import from_integers, to_integers


@stored_as("pointwise")
@dataclass(frozen=True)
class Pointwise(Op):
    """y = program(x)."""

    program: Program

    INTEGER = True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            return x
        return TensorType(x.shape, IntType(*result_range(self.program, x.element.lo, x.element.hi)))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        (y,) = run(self.program, [x.astype(np.int64)])
        return y.astype(x.dtype if x.dtype.kind == "f" else np.int64)

    def to_plain(self) -> Plain:
        return Plain(op="pointwise", tensors={"instructions": np.array(to_integers(self.program), np.int64)})

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        return cls(from_integers(values.integers("instructions").tolist()))


@lru_cache(maxsize=64)
def result_range(program: Program, lo: int, hi: int) -> tuple[int, int]:
    """What a program makes of integers from lo to hi: passes ask for it again and again."""
    return with_ranges(program, [(lo, hi)]).result

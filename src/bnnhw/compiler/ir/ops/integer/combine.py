"""An operator of several values that its user wrote in Python.

Tests: tests/operators/test_streams.py
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
from bnnhw.hls.errors import OperatorError
from bnnhw.hls.ranges import Builder
from bnnhw.hls.stateless import Pointwise
from bnnhw.hls.traced import Traced

from .operator import as_image, read_traced, tensors_of


@stored_as("combine")
@dataclass(frozen=True)
class Combine(Op):
    """z = f(x, y, ..) of an element of each value, all of one shape."""

    ARITY = None
    INTEGER = True

    traced: Traced

    @property
    def streams(self) -> int:
        assert isinstance(self.traced.kind, Pointwise)
        return self.traced.kind.streams

    def infer(self, *inputs: TensorType) -> TensorType:
        if len(inputs) != self.streams or len({each.shape for each in inputs}) > 1:
            shapes = ", ".join(str(each.shape) for each in inputs)
            raise ValueError(f"an operator of {self.streams} values must read as many of one shape, not {shapes}")
        height, width, channels = self.traced.shape(as_image(inputs[0].shape))
        shape = (height, width, channels) if len(inputs[0].shape) == 3 else (channels,)
        floats = [each.element for each in inputs if isinstance(each.element, FloatType)]
        if floats:
            return TensorType(shape, floats[0])
        elements = [each.element for each in inputs if not isinstance(each.element, FloatType)]
        ranges = tuple((each.lo, each.step, each.count) for each in elements)
        return TensorType(shape, IntType(*result_range(self.traced, ranges)))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        images = np.stack([x.reshape(len(x), *as_image(x.shape[1:])) for x in inputs])
        y = self.traced.run(images)
        y = y if inputs[0].ndim == 4 else y.reshape(len(y), -1)
        floats = [x.dtype for x in inputs if x.dtype.kind == "f"]
        return y.astype(floats[0] if floats else np.int64)

    def to_plain(self) -> Plain:
        return Plain(op="combine", attributes={"values": self.streams}, tensors=tensors_of(self.traced))

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        if (streams := values.integer("values")) < 2:
            raise OperatorError(f"combines {streams} values; it must be at least 2")
        return cls(read_traced(lambda program: Pointwise(streams=streams), values))


@lru_cache(maxsize=64)
def result_range(traced: Traced, elements: tuple[tuple[int, int, int], ...]) -> tuple[int, int]:
    """What an operator makes of values (least, step, how many there are): passes ask for it again and again."""
    builder = Builder()
    codes = [builder.input(number, (0, count - 1)) for number, (_, _, count) in enumerate(elements)]
    values = [
        builder.decoded(code, step, builder.constant(lo)) for code, (lo, step, _) in zip(codes, elements, strict=True)
    ]
    return builder.range_of(builder.replay_by_channel(traced.program, values, traced.parameters))

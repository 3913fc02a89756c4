"""An operator of several values that its user wrote in Python.

Tests: tests/operators/test_streams.py
"""

from dataclasses import dataclass
from math import prod
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
from bnnhw.hls.stored import from_integers, to_integers
from bnnhw.hls.traced import Traced

from .operator import as_image


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
        builder = Builder()
        values = [self._values(builder, number, each) for number, each in enumerate(inputs)]
        outputs: list[int] = []
        for channel in sorted(set(zip(*self.traced.parameters, strict=True))) or [()]:
            outputs += builder.replay(self.traced.program, [*values, *map(builder.constant, channel)])
        return TensorType(shape, IntType(*builder.range_of(outputs)))

    def _values(self, builder: Builder, number: int, x: TensorType) -> int:
        element = x.element
        assert not isinstance(element, FloatType)
        code = builder.input(number, (0, element.count - 1))
        return builder.make(
            "add", builder.make("mul", code, builder.constant(element.step)), builder.constant(element.lo)
        )

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        images = np.stack([x.reshape(len(x), *as_image(x.shape[1:])) for x in inputs])
        y = self.traced.run(images)
        y = y if inputs[0].ndim == 4 else y.reshape(len(y), prod(y.shape[1:]))
        floats = [x.dtype for x in inputs if x.dtype.kind == "f"]
        return y.astype(floats[0] if floats else np.int64)

    def to_plain(self) -> Plain:
        tensors = {"instructions": to_integers(self.traced.program)}
        if self.traced.parameters:
            tensors["parameters"] = [value for each in zip(*self.traced.parameters, strict=True) for value in each]
        arrays = {name: np.array(value, np.int64) for name, value in tensors.items()}
        return Plain(op="combine", attributes={"values": self.streams}, tensors=arrays)

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        if (streams := values.integer("values")) < 2:
            raise OperatorError(f"combines {streams} values; it must be at least 2")
        program = from_integers(values.integers("instructions").tolist())
        parameters = values.optional_integers("parameters").tolist()
        return cls(Traced.checked(Pointwise(streams=streams), program, parameters))

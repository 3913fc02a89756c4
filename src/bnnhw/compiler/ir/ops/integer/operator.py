"""An operator that its user wrote in Python.

Tests: tests/test_pointwise_operators.py
Tests: tests/operators/test_operators_in_hardware.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.fields import Fields, sizes
from bnnhw.compiler.ir.ops.stored import Plain, stored_as
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType
from bnnhw.hls.kind import Kind, Shape
from bnnhw.hls.program import Program
from bnnhw.hls.scan import OVER, Reduction, Scan
from bnnhw.hls.stateless import Groupwise, Pixelwise, Pointwise
from bnnhw.hls.stored import from_integers, to_integers
from bnnhw.hls.traced import Traced
from bnnhw.hls.window import BORDERS, Window


@stored_as("pointwise", "pixelwise", "groupwise", "window", "scan", "reduction")
@dataclass(frozen=True)
class Operator(Op):
    """y = traced.run(x); a vector is an image of one pixel.

    within: the least and greatest result, where whoever makes the graph knows them better than intervals do.
    """

    traced: Traced
    within: tuple[int, int] | None = None

    INTEGER = True

    @property
    def title(self) -> str:
        return f"Operator, {self.traced.kind.NAME}"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        shape = self.traced.shape(as_image(x.shape))
        after = shape if len(x.shape) == 3 else shape[2:]
        if isinstance(x.element, FloatType):
            return TensorType(after, x.element)
        element = x.element
        lo, hi = result_range(self.traced, (element.lo, element.hi), element.step, as_image(x.shape))
        if self.within is not None:
            lo, hi = max(lo, self.within[0]), min(hi, self.within[1])
        return TensorType(after, IntType(lo, hi))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        y = self.traced.run(x.reshape(len(x), *as_image(x.shape[1:])))
        y = y if x.ndim == 4 else y.reshape(len(x), -1)
        return y.astype(x.dtype if x.dtype.kind == "f" else np.int64)

    def to_plain(self) -> Plain:
        kind = self.traced.kind
        attributes: dict[str, int | float] = {}
        if isinstance(kind, Window):
            (top, bottom), (left, right) = kind.padding
            attributes |= sizes(kernel=kind.kernel, stride=kind.stride, phase=kind.phase)
            attributes |= {"top": top, "bottom": bottom, "left": left, "right": right}
            attributes |= {"border": BORDERS.index(kind.border), "value": kind.value}
            attributes |= {"per_channel": int(kind.per_channel)}
        if isinstance(kind, Groupwise):
            attributes["members"] = kind.members
        if isinstance(kind, Scan):
            attributes["over"] = OVER.index(kind.over)
        return Plain(op=kind.NAME, attributes=attributes, tensors=tensors_of(self.traced))

    @classmethod
    def from_fields(cls, op: str, values: Fields) -> Self:
        return cls(read_traced(lambda program: kind_of(op, program, values), values))


def kind_of(op: str, program: Program, values: Fields) -> Kind:
    """The kind that a file names, with what it has of it."""
    match op:
        case "pointwise":
            return Pointwise()
        case "pixelwise":
            return Pixelwise()
        case "groupwise":
            return Groupwise(values.size("members"))
        case "window":
            return Window(
                kernel=values.pair("kernel"),
                stride=values.pair("stride"),
                phase=values.pair("phase"),
                padding=(
                    (values.integer("top"), values.integer("bottom")),
                    (values.integer("left"), values.integer("right")),
                ),
                border=values.choice("border", BORDERS),
                value=values.integer("value"),
                per_channel=values.choice("per_channel", (False, True)),
            )
    init = tuple(state.init for state in program.states)
    of = Reduction if op == "reduction" else Scan
    return of(over=values.choice("over", OVER), init=init if len(init) != 1 else init[0])


def tensors_of(traced: Traced) -> dict[str, NDArray[np.int64]]:
    """What a file has of an operator besides its kind."""
    tensors = {"instructions": np.array(to_integers(traced.program), np.int64)}
    if traced.parameters:
        tensors["parameters"] = np.array(traced.parameters_in_a_row, np.int64)
    return tensors


def read_traced(kind: Callable[[Program], Kind], values: Fields) -> Traced:
    """The inverse, of the kind that an operator of this program is. OperatorError says what is amiss."""
    program = from_integers(values.integers("instructions").tolist())
    return Traced.checked(kind(program), program, values.optional_integers("parameters").tolist())


def as_image(shape: tuple[int, ...]) -> Shape:
    """A shape as that of an image."""
    if len(shape) not in (1, 3):
        raise ValueError(f"an operator reads images (H, W, C) or vectors, not {shape}")
    height, width, channels = shape if len(shape) == 3 else (1, 1, *shape)
    return height, width, channels


@lru_cache(maxsize=64)
def result_range(traced: Traced, span: tuple[int, int], step: int, shape: Shape) -> tuple[int, int]:
    """What an operator makes of integers of a range: passes ask for it again and again."""
    return traced.range(span, step, shape)

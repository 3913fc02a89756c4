"""What integers a file's network takes, what they mean to it, and from what that follows.

Tests: tests/compiler/frontends/qonnx/test_inputs.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir.types import FloatType

from .building import Building, Call
from .held import ONE, Vector
from .quantisers import quantiser_of

__all__ = ["InputOptions", "Meaning", "meaning_of"]

PASSED = {"Transpose", "Flatten", "Reshape", "Identity", "Cast", "Squeeze", "Unsqueeze"}
PIXEL = 255


@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """What the user says of the input: tensor = (integer * scale - mean) / std, mean and std one number or one a
    channel.

    range : (lo, hi), optional
        Of the integers; by default what follows from the file.
    """

    range: tuple[int, int] | None = None
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self):
        if self.range is not None and not self.range[0] < self.range[1] < self.range[0] + 2**16:
            raise ValueError(f"input_range={self.range} must rise, and hold 2^16 integers at most")
        for name, numbers in (("input_scale", (self.scale,)), ("input_std", self.std)):
            if not all(0 < number < np.inf for number in numbers):
                raise ValueError(f"{name}={numbers} must be positive")
        if not np.isfinite(self.mean).all() or not self.mean:
            raise ValueError(f"input_mean={self.mean} must be finite")
        if self.range is None and (self.scale, self.mean, self.std) != (1.0, (0.0,), (1.0,)):
            raise ValueError("an input's scale, mean and std need its input_range, such as 0,255")


@dataclass(frozen=True, kw_only=True, eq=False)
class Meaning:
    """Integers from `lo` to `hi` stand for integer * weight + bias in the file's tensor; `because` says from what this
    follows."""

    lo: int
    hi: int
    weight: Vector
    bias: Vector
    because: str

    def tensor(self, images: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the file's network is fed for integers (N, .., C), in float32."""
        return images.astype(np.float32) * self.weight + self.bias


def meaning_of(model: Any, calls: list[Call], options: InputOptions, building: Building) -> Meaning:
    """The meaning of the input of qonnx's `model`, whose nodes are `calls`. ModelError where nothing tells it."""
    name = model.graph.input[0].name
    if options.range is not None:
        lo, hi = options.range
        std = np.array(options.std, np.float32)
        weight = (np.float32(options.scale) / std).astype(np.float32)
        bias = (-np.array(options.mean, np.float32) / std).astype(np.float32)
        return Meaning(lo=lo, hi=hi, weight=weight, bias=bias, because="the given input range")
    kind = model.get_tensor_datatype(name)
    if kind.is_integer():
        return _plain(int(kind.min()), int(kind.max()), f"the file's annotation, {kind.name}")
    arithmetic, end = _leading(name, calls, building)
    if arithmetic and (call := arithmetic[0]).op in ("Div", "Mul"):
        number = building.scalar(call, 1) if call.inputs[1] in building.constants else 0.0
        if number and abs((number if call.op == "Div" else 1 / number) - PIXEL) < 0.01:
            return _plain(0, PIXEL, f"node {call.name!r}, which divides by {PIXEL}")
    if not arithmetic and end is not None and end.op == "BipolarQuant":
        return _plain(-128, 127, f"node {end.name!r}, to which only signs matter")
    if not arithmetic and end is not None and end.op in ("Quant", "IntQuant"):
        with end.fitting():
            op = quantiser_of(end, building)
        element = op.infer(building.types[name]).element
        assert not isinstance(element, FloatType)
        scale = np.array([building.scalar(end, 1)], np.float32)
        because = f"node {end.name!r}, whose integers they are, each times {scale[0]:.9g}"
        return Meaning(lo=element.lo, hi=element.hi, weight=scale, bias=0 * ONE, because=because)
    raise ModelError(
        f"input {name!r}: the file does not say what integers it stands for; give an input range, such as 0,255, and "
        "the scale, mean and std that make tensors of them"
    )


def _plain(lo: int, hi: int, because: str) -> Meaning:
    return Meaning(lo=lo, hi=hi, weight=ONE, bias=0 * ONE, because=because)


def _leading(value: str, calls: list[Call], building: Building) -> tuple[list[Call], Call | None]:
    """The arithmetic with constants behind the input, and the quantiser behind that; None where it ends otherwise."""
    arithmetic: list[Call] = []
    while len(readers := [call for call in calls if value in call.inputs]) == 1:
        (call,) = readers
        if call.op in ("Quant", "IntQuant", "BipolarQuant"):
            return arithmetic, call
        if call.op in ("Add", "Sub", "Mul", "Div"):
            arithmetic.append(call)
        elif call.op not in PASSED:
            break
        value = call.output
    return arithmetic, None

"""BatchNormalization, arithmetic with constants, and activations that are real numbers.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.ops import BatchNorm, HardTanh, PRelu, Relu
from bnnhw.compiler.ir.types import FloatType

from .building import ZERO, Building, Call, handles
from .held import ONE, Held, Vector
from .joins import add


@handles("BatchNormalization")
def _batch_norm(call: Call, building: Building) -> Held:
    held = building.read(call)
    parts = [building.needed(call, number).elements.reshape(-1) for number in (1, 2, 3, 4)]
    if held.order is not None:
        parts = [part[held.order] for part in parts]
    weight, bias, mean, variance = (np.ascontiguousarray(part, np.float32) for part in parts)
    return building.floats(call, BatchNorm(float(call.get("epsilon", 1e-5)), mean, variance, weight, bias))


def _constant_of(call: Call, building: Building) -> tuple[Held, Vector, bool] | None:
    """(tensor, constant by channel, whether the tensor comes first) of a call of two; None where both are tensors."""
    constants = [number for number in (0, 1) if call.inputs[number] in building.constants]
    if not constants:
        return None
    (number,) = constants
    held = building.read(call, 1 - number)
    elements = building.needed(call, number).elements
    if not np.isfinite(elements).all():
        raise call.refuse("has a constant that is NaN or infinite")
    return held, held.by_channel(elements, call.where), number == 1


@handles("Mul")
def _multiply(call: Call, building: Building) -> Held:
    if (found := _constant_of(call, building)) is None:
        raise call.refuse("multiplies two tensors of the network, which is not supported")
    held, factor, _ = found
    return _scaled(call, building, held, factor)


@handles("Div")
def _divide(call: Call, building: Building) -> Held:
    found = _constant_of(call, building)
    if found is None or not found[2]:
        raise call.refuse("divides by a tensor of the network, which is not supported")
    held, divisor, _ = found
    if not divisor.all():
        raise call.refuse("divides by 0")
    return _scaled(call, building, held, (1 / divisor).astype(np.float32))


def _scaled(call: Call, building: Building, held: Held, factor: Vector) -> Held:
    """tensor * factor: in its scale where that is positive."""
    scale = (held.scale * factor).astype(np.float32)
    if (scale > 0).all() and np.isfinite(scale).all():
        return replace(held, scale=scale)
    return building.affine(held, call.name, ZERO, factor)


@handles("Add")
def _add(call: Call, building: Building) -> Held:
    if (found := _constant_of(call, building)) is None:
        return add(call, building)
    held, bias, _ = found
    return building.affine(held, call.name, bias) if bias.any() else held


@handles("Sub")
def _subtract(call: Call, building: Building) -> Held:
    if (found := _constant_of(call, building)) is None:
        raise call.refuse("subtracts two tensors of the network, which is not supported; negate weights, and add")
    held, bias, first = found
    if first:
        return building.affine(held, call.name, -bias) if bias.any() else held
    return building.affine(held, call.name, bias, -ONE)


@handles("Neg")
def _negate(call: Call, building: Building) -> Held:
    return building.affine(building.read(call), call.name, ZERO, -ONE)


@handles("Relu")
def _relu(call: Call, building: Building) -> Held:
    held = building.read(call)
    element = building.types[held.value].element
    if not isinstance(element, FloatType) and element.lo >= 0:
        return held
    return building.floats(call, Relu())


@handles("LeakyRelu")
def _leaky_relu(call: Call, building: Building) -> Held:
    return building.floats(call, PRelu(np.array([call.get("alpha", 0.01)], np.float32)))


@handles("PRelu")
def _prelu_by_channel(call: Call, building: Building) -> Held:
    held = building.read(call)
    slope = held.by_channel(building.needed(call, 1).elements, call.where)
    return building.floats(call, PRelu(slope))


@handles("Clip")
def _clip(call: Call, building: Building) -> Held:
    lo, hi = (
        float(call.get(name, limit)) if len(call.inputs) <= number or not call.inputs[number]
        else building.scalar(call, number)
        for number, (name, limit) in enumerate((("min", -np.inf), ("max", np.inf)), start=1)
    )  # fmt: skip
    if (lo, hi) == (-1, 1):
        return building.floats(call, HardTanh())
    if (lo, hi) == (0, np.inf):
        return _relu(call, building)
    raise call.refuse(f"clips to {lo:g}..{hi:g}; only -1..1 is supported, as a Quant behind it clips by itself")

"""Conv, Gemm and MatMul: sums of integers times integer weights.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import BinaryConv2d, BinaryLinear, Conv, Op
from bnnhw.compiler.ir.ops.windows import Pair

from .building import Building, Call, handles
from .held import CHANNELS_FIRST, Constant, Held, Vector


def weights_of(call: Call, constant: Constant) -> tuple[NDArray[Any], Vector]:
    """(integers, one scale or one a row) of weights (rows, ..): int8 where all are -1 or +1, else int16."""
    integers, scales = constant.integers, constant.scales
    if integers is None or scales is None:
        integers, scales = _found(call, constant.elements)
    rows = scales.reshape(len(scales), -1)
    if (rows != rows[:, :1]).any():
        raise call.refuse(
            "has weights with scales that differ within a row; give the tensor one scale, or each output channel"
        )
    scale = rows[:, 0]
    scale = scale[:1] if (scale == scale[0]).all() else scale
    binary = bool((np.abs(integers) == 1).all())
    if not binary and int(np.abs(integers).max()) > 2**11:
        raise call.refuse(f"has weights up to {int(np.abs(integers).max())}; {2**11} is the most: quantise them")
    return integers.astype(np.int8 if binary else np.int16), np.ascontiguousarray(scale, np.float32)


def _found(call: Call, elements: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Integers and scales of weights that no quantiser made: integers, or in each row one number and its negative."""
    if np.array_equal(elements, np.rint(elements)) and np.abs(elements).max() < 2**15:
        return elements.astype(np.int64), np.ones_like(elements)
    magnitudes = np.abs(elements)
    rows = magnitudes.reshape(len(magnitudes), -1)
    if (rows == rows[:, :1]).all() and (rows > 0).all():
        return np.where(elements > 0, 1, -1), magnitudes
    raise call.refuse("multiplies by real numbers; quantise its weights (BipolarQuant or Quant) and export again")


def sums(call: Call, building: Building, held: Held, op: Op, scale: Vector, bias: Vector | None) -> Held:
    """The sums of a product of the tensor, times the scales of both; a bias behind them."""
    if len(held.scale) > 1:
        raise call.refuse("multiplies activations whose channels have scales of their own; give them one scale")
    output = call.output if bias is None else f"{call.output}.sums"
    building.emit(call.name, op, (held.value,), output)
    scaled = (held.scale * scale).astype(np.float32)
    found = replace(held, value=output, order=None, scale=scaled, exact=True, padding=(0, 0))
    return found if bias is None else building.affine(found, call.name, bias)


def integers(call: Call, building: Building, *, padded: bool = False) -> Held:
    """The input of a product."""
    held = building.read(call, padded=padded)
    if not building.is_integer(held.value):
        raise call.refuse("multiplies activations that are real numbers; put a Quant or BipolarQuant before it")
    return held


@handles("Gemm")
def _gemm(call: Call, building: Building) -> Held:
    held, constant = integers(call, building), building.needed(call, 1)
    if call.get("transA", 0) or call.get("alpha", 1.0) != 1 or call.get("beta", 1.0) != 1:
        raise call.refuse("has transA, alpha or beta, which are not supported but as 0, 1 and 1")
    bias = building.constant(call, 2)
    turned = constant if call.get("transB", 0) else transposed(constant)
    return _linear(call, building, held, turned, None if bias is None else bias.elements.reshape(-1))


@handles("MatMul")
def _matmul(call: Call, building: Building) -> Held:
    held, constant = integers(call, building), building.needed(call, 1)
    if constant.elements.ndim != 2:
        raise call.refuse(f"has weights of shape {constant.elements.shape}; they must be (inputs, outputs)")
    return _linear(call, building, held, transposed(constant), None)


def _linear(call: Call, building: Building, held: Held, constant: Constant, bias: Vector | None) -> Held:
    """Of weights (rows, cols)."""
    if held.axes:
        raise call.refuse("multiplies images; put a Flatten before it, or write it as a Conv of 1x1")
    weights, scale = weights_of(call, constant)
    if held.order is not None:
        if len(held.order) != weights.shape[1]:
            raise call.refuse(f"has weights for {weights.shape[1]} features; its input has {len(held.order)}")
        weights = np.ascontiguousarray(weights[:, held.order])
    return sums(call, building, held, BinaryLinear(weights), scale, bias)


def transposed(constant: Constant) -> Constant:
    integers, scales = constant.integers, constant.scales
    return Constant(constant.elements.T, None if integers is None else integers.T, None if scales is None else scales.T)


@handles("Conv")
def _conv(call: Call, building: Building) -> Held:
    held, constant = integers(call, building, padded=True), building.needed(call, 1)
    if constant.elements.ndim != 4 or held.axes != CHANNELS_FIRST:
        raise call.refuse("is no convolution of images (N, C, H, W), the only one that is supported")
    weights, scale = weights_of(call, constant)
    down, across = padding_of(call)
    conv = Conv(
        np.ascontiguousarray(weights.transpose(0, 2, 3, 1)),
        stride=pair_of(call, "strides"),
        padding=(down + held.padding[0], across + held.padding[1]),
        groups=int(call.get("group", 1)),
        dilation=pair_of(call, "dilations"),
    )
    bias = building.constant(call, 2)
    return sums(call, building, held, BinaryConv2d(conv), scale, None if bias is None else bias.elements.reshape(-1))


def pair_of(call: Call, name: str) -> Pair:
    """An attribute (height, width), 1 and 1 where it is left out."""
    values = [int(value) for value in call.get(name, (1, 1))]
    if len(values) != 2:
        raise call.refuse(f"has {name}={values}; it must be of images, (height, width)")
    return values[0], values[1]


def padding_of(call: Call) -> Pair:
    """Rows and columns at either end. ModelError where the ends differ."""
    if (automatic := call.get("auto_pad", "NOTSET")) not in ("NOTSET", "VALID", ""):
        raise call.refuse(f"has auto_pad={automatic}; export the paddings as numbers")
    top, left, bottom, right = (int(value) for value in call.get("pads", (0, 0, 0, 0)))
    if (top, left) != (bottom, right) or min(top, left) < 0:
        raise call.refuse(f"pads {(top, left)} before and {(bottom, right)} behind; both must be the same")
    return top, left

"""Quant, BipolarQuant and MultiThreshold, of activations, and of constants.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.ops import Op, Sign, Thresholds, UniformQuantise
from bnnhw.compiler.ir.types import IntType

from .building import Building, Call, handles
from .held import ONE, Constant, Held

HALF_EVEN = ("ROUND", "HALF_EVEN")


def quantiser_of(call: Call, building: Building) -> Op:
    """The op that gives a node's integers."""
    if call.op == "BipolarQuant":
        return Sign()
    zero_point, bits = building.scalar(call, 2), building.scalar(call, 3)
    signed, narrow = bool(call.get("signed", 1)), bool(call.get("narrow", 0))
    if (mode := call.get("rounding_mode", "ROUND").upper()) not in HALF_EVEN:
        raise call.refuse(f"rounds by {mode}; only ROUND, halves to even, is supported")
    if bits != int(bits) or not 1 <= bits <= 8:
        raise call.refuse(f"has {bits:g} bits; 1 to 8 are supported")
    if zero_point != int(zero_point):
        raise call.refuse(f"has the zero point {zero_point:g}, which is no integer")
    if bits == 1 and signed:
        if zero_point:
            raise call.refuse(f"has a single bit and the zero point {zero_point:g}; it must be 0")
        return Sign()
    lo, hi = _limits(bits, signed, narrow)
    scale = np.float32(building.scalar(call, 1))
    return UniformQuantise(float(scale), int(zero_point), lo, hi)


@handles("Quant", "IntQuant", "BipolarQuant")
def _quantise(call: Call, building: Building) -> Held:
    held = building.read(call)
    scale = np.array([_activation_scale(call, building)], np.float32)
    op = quantiser_of(call, building)
    if _changes_nothing(op, held, scale, building):
        return held
    held = building.real(held, call.name)
    building.emit(call.name, op, (held.value,), call.output)
    return replace(held, value=call.output, scale=scale, exact=True)


@handles("MultiThreshold")
def _multi_threshold(call: Call, building: Building) -> Held:
    held = building.real(building.read(call), call.name)
    table = np.sort(building.needed(call, 1).elements.astype(np.float32), axis=1)
    layout = call.get("data_layout", "") or ("NCHW" if held.axes else "NC")
    if len(table) > 1 and layout.find("C") != held.channel_axis:
        raise call.refuse(f"has the layout {layout}, and its input has its channels on axis {held.channel_axis}")
    if len(table) > 1 and held.order is not None:
        table = table[held.order]
    scale, bias = float(call.get("out_scale", 1.0)), float(call.get("out_bias", 0.0))
    if not scale > 0:
        raise call.refuse(f"has out_scale={scale:g}; it must be positive")
    if table.shape[1] == 1 and 2 * bias == -scale:
        held = building.affine(held, f"{call.name}.shift", -table[:, 0])
        scale, op = scale / 2, Sign()
    elif bias % scale:
        raise call.refuse(f"has out_bias={bias:g}, which is no multiple of out_scale={scale:g}")
    else:
        op = Thresholds(np.ascontiguousarray(table.T).ravel(), len(table), int(bias / scale))
    building.emit(call.name, op, (held.value,), call.output)
    return replace(held, value=call.output, scale=np.array([scale], np.float32), exact=True)


@handles("Trunc")
def _truncate(call: Call, building: Building) -> Held:
    """clip(round(x / scale) / 2^bits), and what that has behind the point cut off: of version 2, as Brevitas writes."""
    if len(call.inputs) != 6:
        raise call.refuse("is of version 1; export it with Brevitas 0.12 or later")
    held = building.read(call)
    scale, out_scale = np.float32(building.scalar(call, 1)), np.float32(building.scalar(call, 4))
    if building.scalar(call, 2):
        raise call.refuse("has a zero point, which is not supported")
    if not (scale > 0 and out_scale > 0) or call.get("rounding_mode", "FLOOR").upper() != "FLOOR":
        raise call.refuse("must have positive scales and round by FLOOR")
    bits = round(float(np.log2(out_scale / scale)))
    lo, hi = _limits(building.scalar(call, 5), bool(call.get("signed", 1)), bool(call.get("narrow", 0)))
    if bits == 0:
        held = building.real(held, call.name)
        op = UniformQuantise(float(scale), 0, lo, hi)
    elif bits > 0 and held.exact and np.array_equal(held.scale, [scale]):
        # of integers the floor of x/2^bits is the nearest integer to (x + 1/2)/2^bits - 1/2, never half-way
        held = building.affine(replace(held, scale=ONE), call.name, np.array([0.5 - 2 ** (bits - 1)], np.float32))
        op = UniformQuantise(float(2**bits), 0, lo, hi)
    else:
        raise call.refuse("truncates other steps than those of the integers that it reads; put a Quant in its place")
    building.emit(call.name, op, (held.value,), call.output)
    return replace(held, value=call.output, scale=np.array([out_scale]), exact=True)


def _limits(bits: float, signed: bool, narrow: bool) -> tuple[int, int]:
    """The least and the greatest integer of so many bits."""
    count = 2 ** int(bits)
    return (-count // 2 + narrow, count // 2 - 1) if signed else (0, count - 1 - narrow)


def _activation_scale(call: Call, building: Building) -> float:
    if (elements := building.needed(call, 1).elements).size != 1:
        raise call.refuse(
            f"scales its activations by {elements.size} numbers; export one for the tensor (scaling_per_output_channel "
            "of weights alone)"
        )
    scale = building.scalar(call, 1)
    if not 0 < scale < np.inf:
        raise call.refuse(f"has the scale {scale:g}; it must be positive")
    return scale


def _changes_nothing(op: Op, held: Held, scale: np.ndarray, building: Building) -> bool:
    """Whether the tensor already is what the op makes of it: integers times this very scale, in its range."""
    element = building.types[held.value].element
    if not isinstance(element, IntType) or not np.array_equal(held.scale, scale) or element.count > 2**16:
        return False
    integers = np.arange(element.lo, element.hi + 1, element.step)
    return np.array_equal(op.reference(integers.astype(np.float32) * scale), integers)


def quantised_constant(call: Call, building: Building) -> Constant:
    """A constant behind a quantiser, with its integers and the scale of each."""
    elements = building.needed(call, 0).elements
    scales = building.needed(call, 1).elements
    if not np.isfinite(elements).all():
        raise call.refuse("quantises a constant that is NaN or infinite")
    if not ((scales > 0) & np.isfinite(scales)).all():
        raise call.refuse("has a scale that is not positive")
    if call.op == "BipolarQuant" or (building.scalar(call, 3) == 1 and call.get("signed", 1)):
        integers = np.where(elements >= 0, 1, -1)
    else:
        with np.errstate(over="ignore"):
            integers = _integers(call, building, elements / scales)
    broadcast = np.broadcast_to(scales, elements.shape).astype(np.float32)
    return Constant((integers * broadcast).astype(np.float32), integers.astype(np.int64), broadcast)


def _integers(call: Call, building: Building, steps: np.ndarray) -> np.ndarray:
    """clip(rint(steps + zero point)) - zero point; of a bias, too, whose bits are more than an activation's."""
    bits, signed, narrow = building.scalar(call, 3), bool(call.get("signed", 1)), bool(call.get("narrow", 0))
    if (mode := call.get("rounding_mode", "ROUND").upper()) not in HALF_EVEN:
        raise call.refuse(f"rounds by {mode}; only ROUND, halves to even, is supported")
    if not 1 <= bits <= 32 or bits != int(bits):
        raise call.refuse(f"has {bits:g} bits; a constant's may be 1 to 32")
    zero_point = building.needed(call, 2).elements.astype(np.float32)
    lo, hi = _limits(bits, signed, narrow)
    return np.clip(np.rint(steps + zero_point), lo, hi).astype(np.int64) - np.rint(zero_point).astype(np.int64)

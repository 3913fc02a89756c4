"""Pools, and what only moves values: Flatten, Reshape, Transpose, Pad, Resize.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import replace
from math import prod

import numpy as np

from bnnhw.compiler.ir.ops import AveragePool, Flatten, MaxPool, PadChannels, SumPool, UpsampleNearest
from bnnhw.compiler.ir.ops.windows import Pair

from .building import Building, Call, handles
from .held import CHANNELS_FIRST, CHANNELS_LAST, Held
from .products import padding_of, pair_of

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


@handles("Identity", "Dropout", "Cast")
def _identity(call: Call, building: Building) -> Held:
    return building.read(call)


@handles("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def _reshape(call: Call, building: Building) -> Held:
    held = building.read(call)
    shape = building.types[held.value].shape
    tensor = tuple(shape[CHANNELS_LAST.index(axis)] for axis in held.axes) or shape
    if call.shape == (1, *tensor):
        return held
    if call.shape != (1, prod(shape)):
        raise call.refuse(f"gives shape {call.shape}; only (N, features) is supported")
    if len(held.scale) > 1:
        held = building.real(held, call.name)
    building.emit(call.name, Flatten(), (held.value,), call.output)
    order = None
    if held.axes == CHANNELS_FIRST and min(prod(shape[:2]), shape[2]) > 1:
        order = np.arange(prod(shape)).reshape(tensor).transpose(1, 2, 0).ravel()
    return replace(held, value=call.output, axes="", order=order)


@handles("Transpose")
def _transpose(call: Call, building: Building) -> Held:
    held, axes = building.read(call), tuple(int(axis) for axis in call.get("perm", ()))
    if axes == tuple(range(len(axes))):
        return held
    turns: dict[tuple[str, tuple[int, ...]], str] = {
        (CHANNELS_FIRST, TO_LAST): CHANNELS_LAST,
        (CHANNELS_LAST, TO_FIRST): CHANNELS_FIRST,
    }
    if (held.axes, axes) not in turns:
        raise call.refuse(f"orders the axes {axes}; only {TO_LAST} and {TO_FIRST} of images are supported")
    return replace(held, axes=turns[held.axes, axes])


def _image(call: Call, building: Building) -> Held:
    held = building.read(call)
    if held.axes != CHANNELS_FIRST:
        raise call.refuse("must read images (N, C, H, W)")
    return held


@handles("MaxPool")
def _max_pool(call: Call, building: Building) -> Held:
    held = _image(call, building)
    if call.get("ceil_mode", 0) or pair_of(call, "dilations") != (1, 1):
        raise call.refuse("has ceil_mode or dilations, which are not supported")
    op = MaxPool(pair_of(call, "kernel_shape"), pair_of(call, "strides"), padding=padding_of(call))
    building.emit(call.name, op, (held.value,), call.output)
    return replace(held, value=call.output)


@handles("AveragePool")
def _average_pool(call: Call, building: Building) -> Held:
    held = _image(call, building)
    if call.get("ceil_mode", 0) or any(padding_of(call)) or pair_of(call, "dilations") != (1, 1):
        raise call.refuse("has ceil_mode, pads or dilations, which are not supported")
    return averages(call, building, held, pair_of(call, "kernel_shape"), pair_of(call, "strides"))


@handles("GlobalAveragePool")
def _global_average_pool(call: Call, building: Building) -> Held:
    held = _image(call, building)
    height, width, _ = building.types[held.value].shape
    return averages(call, building, held, (height, width), (height, width))


@handles("ReduceMean")
def _reduce_mean(call: Call, building: Building) -> Held:
    _image(call, building)
    given = building.constant(call, 1)
    axes = sorted(int(axis) % 4 for axis in (call.get("axes", ()) if given is None else given.elements.ravel()))
    if axes != [2, 3]:
        raise call.refuse(f"averages along the axes {axes}; only (2, 3), the whole image, is supported")
    pooled = _global_average_pool(call, building)
    if call.get("keepdims", 1):
        return pooled
    value = building.emit(f"{call.name}.flatten", Flatten(), (pooled.value,), f"{call.output}.flat")
    return replace(pooled, value=value, axes="")


def averages(call: Call, building: Building, held: Held, kernel: Pair, stride: Pair) -> Held:
    """Of integers their sums, with the division in the scale."""
    if building.is_integer(held.value):
        building.emit(call.name, SumPool(kernel, stride), (held.value,), call.output)
        return replace(held, value=call.output, scale=(held.scale / np.float32(prod(kernel))).astype(np.float32))
    building.emit(call.name, AveragePool(kernel, stride), (held.value,), call.output)
    return replace(held, value=call.output, exact=False)


@handles("Pad")
def _pad(call: Call, building: Building) -> Held:
    held = building.read(call)
    given, value = building.constant(call, 1), building.constant(call, 2)
    pads = [int(pad) for pad in (call.get("pads", ()) if given is None else given.elements.ravel())]
    number = call.get("value", 0.0) if value is None else float(value.elements.ravel()[0])
    rank = 1 + max(1, len(held.axes))
    if not any(pads):
        return held
    if call.get("mode", "constant") != "constant" or number or len(pads) != 2 * rank or min(pads) < 0:
        raise call.refuse(
            "pads by something else than 0; only zeros around images, features and channels are supported"
        )
    channel = held.channel_axis
    before, after = pads[channel], pads[rank + channel]
    ends = [(pads[axis], pads[rank + axis]) for axis in range(rank) if axis != channel]
    if ends[0] != (0, 0) or any(first != last for first, last in ends):
        raise call.refuse(f"has pads={pads}; it may add as many rows and columns of 0 at either end of images")
    if before or after:
        held = _more_channels(call, building, held, before, after)
    return replace(held, padding=(ends[1][0], ends[2][0])) if held.axes else held


def _more_channels(call: Call, building: Building, held: Held, before: int, after: int) -> Held:
    """Channels or features of 0 on both sides."""
    if len(held.scale) > 1:
        held = building.real(held, call.name)
    building.emit(call.name, PadChannels(before, after), (held.value,), call.output)
    if held.order is None:
        return replace(held, value=call.output)
    size = len(held.order)
    ends = np.arange(before), np.arange(before + size, before + size + after)
    return replace(held, value=call.output, order=np.concatenate([ends[0], held.order + before, ends[1]]))


@handles("Resize", "Upsample")
def _resize(call: Call, building: Building) -> Held:
    held = _image(call, building)
    height, width, _ = building.types[held.value].shape
    block = call.shape[2] // height
    if call.get("mode", "nearest") != "nearest" or call.shape[2:] != (height * block, width * block) or block < 1:
        raise call.refuse(f"resizes {(height, width)} to {call.shape[2:]}; only nearest by an integer is supported")
    building.emit(call.name, UpsampleNearest(block), (held.value,), call.output)
    return replace(held, value=call.output)

"""Add and Concat of tensors of the network.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.ops import Add, Concat

from .building import Building, Call, handles
from .held import Held


def _alike(call: Call, building: Building, verb: str) -> list[Held]:
    """The inputs: integers, all times the same scale. ModelError says what differs."""
    found = [building.read(call, number) for number in range(len(call.inputs))]
    if not all(held.exact for held in found):
        raise call.refuse(f"{verb} real numbers; put a Quant behind each of its inputs, all with one scale")
    first, *others = found
    for other in others:
        if other.axes != first.axes:
            raise call.refuse(f"{verb} tensors of which one has its channels first, the other last")
        if not np.array_equal(other.scale, first.scale):
            one, two = (f"{held.scale[0]:.9g}" + " .." * (len(held.scale) > 1) for held in (first, other))
            raise call.refuse(
                f"{verb} integers of unequal scales, {one} and {two}; share one Quant (the same act_quant) between them"
            )
    return found


def add(call: Call, building: Building) -> Held:
    first, second = _alike(call, building, "adds")
    if (first.order is None) != (second.order is None):
        raise call.refuse("adds tensors whose features lie in different orders")
    building.emit(call.name, Add(), (first.value, second.value), call.output)
    return replace(first, value=call.output)


@handles("Concat")
def _concat(call: Call, building: Building) -> Held:
    found = _alike(call, building, "joins")
    first = found[0]
    axis = int(call.get("axis", 1))
    if axis % len(call.shape) != first.channel_axis:
        raise call.refuse(f"joins along axis {axis}; only along the channels it may")
    if any(len(held.scale) > 1 for held in found):
        raise call.refuse("joins integers whose channels have scales of their own; give them one scale")
    values = tuple(held.value for held in found)
    building.emit(call.name, Concat(), values, call.output)
    order = None
    if any(held.order is not None for held in found):
        sizes = [building.types[value].shape[-1] for value in values]
        starts = np.cumsum([0, *sizes[:-1]])
        orders = (
            np.arange(size) if held.order is None else held.order for held, size in zip(found, sizes, strict=True)
        )
        order = np.concatenate([start + one for start, one in zip(starts, orders, strict=True)])
    return replace(first, value=call.output, order=order)

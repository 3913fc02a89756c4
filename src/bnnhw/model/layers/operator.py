"""Operators that are written in Python, as torch layers.

Tests: tests/test_pointwise_operators.py
Tests: tests/operators/test_layers.py
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.ops import Combine
from bnnhw.compiler.ir.ops import Operator as OperatorOp
from bnnhw.hls.operator import Operator
from bnnhw.hls.program import MEANINGS, Instruction, Program
from bnnhw.hls.scan import Scan
from bnnhw.hls.stateless import Pointwise, Stateless
from bnnhw.hls.traced import Traced
from bnnhw.hls.window import Window
from bnnhw.model.registry import module_of, op_of

__all__ = ["OperatorLayer"]

Both = tuple[Any, Tensor]
"""The integers of a value, and the same with gradients."""


class OperatorLayer(nn.Module):
    """`hls.Layer`: y = f(x) for an operator f, on images (N, C, H, W), as torch has them, or vectors (.., C): on whole
    numbers exactly its integers, others are rounded before.

    Backwards it is the same without roundings: a shift divides, a table has the slope between its entries, a bitwise
    operation with a constant passes the gradient on, a comparison has none.

    channels: of x, where the operator looks at all of them. An operator of several streams takes as many tensors.
    """

    def __init__(self, operator: Operator | Traced, channels: int | None = None):
        super().__init__()
        self.operator = operator
        self.channels = channels

    @cached_property
    def traced(self) -> Traced:
        """The operator as data."""
        return self.operator if isinstance(self.operator, Traced) else self.operator.traced(self.channels)

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        streams = [each.movedim(1, -1) if x.ndim == 4 else each.reshape(-1, 1, 1, x.shape[-1]) for each in (x, *others)]
        images = torch.stack(streams) if others else streams[0]
        integers = images.detach().round().to("cpu", torch.int64).numpy()
        exact = torch.as_tensor(self.traced.run(integers)).to(x)
        if torch.is_grad_enabled() and images.requires_grad:
            smooth = differentiable(self.traced, integers, images)
            exact = exact + (smooth - smooth.detach()).reshape(exact.shape)
        return exact.movedim(-1, 1) if x.ndim == 4 else exact.reshape(*x.shape[:-1], -1)

    def extra_repr(self) -> str:
        return self.operator.name if isinstance(self.operator, Operator) else self.operator.kind.NAME


def differentiable(traced: Traced, integers: np.ndarray, images: Tensor) -> Tensor:
    """What the operator makes of images, in its own order, with gradients."""
    kind, program = traced.kind, traced.program
    if isinstance(kind, Scan):
        return _scanned(kind, program, integers, images)
    assert isinstance(kind, Stateless)
    *streams, count, height, width, channels = integers.shape  # the streams come before the images, if several
    elements = places_of(kind, (*streams, height, width, channels))
    flat, values = images.movedim(-4, 0).reshape(count, -1), np.moveaxis(integers, -4, 0).reshape(count, -1)
    if isinstance(kind, Window):
        flat = torch.cat([flat, torch.full_like(flat[:, :1], kind.value)], 1)
        values = np.concatenate([values, np.full_like(values[:, :1], kind.value)], 1)
    inputs: list[Both] = [(values[:, each], flat[:, torch.as_tensor(each)]) for each in elements]
    for number in range(len(inputs), program.inputs):
        known = constants_of(kind, traced.parameters, number - len(inputs), elements[0].shape)
        inputs.append((known, torch.as_tensor(known).to(images)))
    results = [result for _, result in instructions_of(program, inputs, [])[0]]
    return torch.stack(torch.broadcast_tensors(*results), -1)


def places_of(kind: Stateless, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Of each element that a function sees its place in an image, or in one of each stream, for all pixels; -1 beyond
    the border."""
    beyond = replace(kind, value=-1) if isinstance(kind, Window) else kind
    places = np.expand_dims(np.arange(np.prod(shape)).reshape(shape), -4)
    return [each[0] for each in beyond.elements(places)]


def constants_of(kind: Stateless, parameters: Any, number: int, shape: tuple[int, ...]) -> np.ndarray:
    """An input that is no element of the image: the pixel's row or column in its phase, or a parameter."""
    if kind.has_phases and number < 2:
        return np.indices(shape)[number] % kind.phase[number]
    return np.broadcast_to(np.array(parameters[number - 2 * kind.has_phases]), shape).copy()


def _scanned(kind: Scan, program: Program, integers: np.ndarray, images: Tensor) -> Tensor:
    steps = kind.in_steps(integers)
    places = torch.as_tensor(kind.in_steps(np.arange(integers.size).reshape(integers.shape)))
    x = images.reshape(-1)[places]
    states: list[Both] = [(np.full(steps.shape[1:], each), torch.full_like(x[0], each)) for each in kind.states]
    results = []
    for one, number in zip(steps, range(len(steps)), strict=True):
        found, states = instructions_of(program, [(one, x[number])], states)
        results.append(torch.stack(torch.broadcast_tensors(*(result for _, result in found))))
    stacked = torch.stack(results[-1:] if kind.ends else results)  # (steps, results, ..)
    order = kind.as_images(np.arange(stacked.numel()).reshape(stacked.shape), integers.shape)
    return stacked.reshape(-1)[torch.as_tensor(order)]


def instructions_of(program: Program, inputs: Sequence[Both], states: Sequence[Both]) -> tuple[list[Both], list[Both]]:
    """The results, and the states that follow."""
    values: list[Both] = []
    for each in program.instructions:
        match each.op, each.attribute:
            case "input", int(number):
                values.append(inputs[number])
            case "state", int(number):
                values.append(states[number])
            case _:
                values.append(_result(each, [values[number] for number in each.args], inputs[0][1]))
    return [values[number] for number in program.outputs], [values[state.following] for state in program.states]


def _result(each: Instruction, arguments: list[Both], like: Tensor) -> Both:
    integers = MEANINGS[each.op].apply(each.attribute, *(one for one, _ in arguments))
    result = torch.as_tensor(np.asarray(integers)).to(like)
    for (_, argument), slope in zip(arguments, _slopes(each, [one for one, _ in arguments]), strict=True):
        if slope is not None:
            result = result + torch.as_tensor(np.asarray(slope)).to(like) * (argument - argument.detach())
    return integers, result


def _slopes(each: Instruction, values: list[Any]) -> list[Any]:
    """The derivatives by the arguments; None where there is none."""
    match each.op, each.attribute:
        case "add", _:
            return [1.0, 1.0]
        case "sub", _:
            return [1.0, -1.0]
        case "mul", _:
            return [values[1], values[0]]
        case "shl", int(distance):
            return [2.0**distance]
        case "shr", int(distance):
            return [2.0**-distance]
        case "mux", _:
            return [None, values[0] != 0, values[0] == 0]
        case (("and" | "or" | "xor"), _):
            return [1.0 if np.ndim(other) == 0 else None for other in reversed(values)]
        case "table", tuple(entries):
            slopes = np.gradient(np.array(entries, np.float64)) if len(entries) > 1 else np.zeros(1)
            return [slopes[values[0]]]
    return [None] * len(values)


@op_of(OperatorLayer)
def _op(module: OperatorLayer) -> OperatorOp | Combine:
    kind = module.traced.kind
    several = isinstance(kind, Pointwise) and kind.streams > 1
    return Combine(module.traced) if several else OperatorOp(module.traced)


def _channels_first(op: Any) -> bool | None:
    """An element by itself is the same wherever its channel lies."""
    return None if isinstance(op.traced.kind, Pointwise) and not op.traced.parameters else True


@module_of(Combine, channels_first=_channels_first)
@module_of(OperatorOp, channels_first=_channels_first)
def _module(op: Any) -> OperatorLayer:
    return OperatorLayer(op.traced)

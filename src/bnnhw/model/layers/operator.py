"""Operators that are written in Python, as torch layers.

Tests: tests/test_pointwise_operators.py
"""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.ops import Pointwise as PointwiseOp
from bnnhw.hls.operator import Pointwise
from bnnhw.hls.program import MEANINGS, Instruction, Program
from bnnhw.model.registry import module_of, op_of

__all__ = ["OperatorLayer"]


class OperatorLayer(nn.Module):
    """`hls.Layer`: y = f(x) for an operator f: on whole numbers exactly its integers, others are rounded before.

    Backwards it is the same without roundings: a shift divides, a table has the slope between its entries, a bitwise
    operation with a constant passes the gradient on, a comparison has none.
    """

    def __init__(self, operator: Pointwise | Program):
        super().__init__()
        self.operator = operator

    @cached_property
    def program(self) -> Program:
        """The operator's instructions."""
        return self.operator if isinstance(self.operator, Program) else self.operator.program

    def forward(self, x: Tensor) -> Tensor:
        values: list[tuple[Any, Tensor]] = []  # of each instruction the integers, and the same with gradients
        for each in self.program.instructions:
            if each.op == "input":
                integers = x.detach().round().to("cpu", torch.int64).numpy()
                values.append((integers, x))
            else:
                arguments = [values[number] for number in each.args]
                values.append(_result(each, arguments, x))
        (output,) = self.program.outputs
        integers, result = values[output]
        exact = torch.as_tensor(np.broadcast_to(integers, x.shape).copy()).to(x)
        return exact + (result - result.detach())

    def extra_repr(self) -> str:
        return self.operator.name if isinstance(self.operator, Pointwise) else ""


def _result(each: Instruction, arguments: list[tuple[Any, Tensor]], like: Tensor) -> tuple[Any, Tensor]:
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
def _op(module: OperatorLayer) -> PointwiseOp:
    return PointwiseOp(module.program)


@module_of(PointwiseOp)
def _module(op: PointwiseOp) -> OperatorLayer:
    return OperatorLayer(op.program)

"""Codes of a few levels, and what they stand for: what a model file has of activations of several binary bases.

Tests: tests/model/layers/test_levels.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

__all__ = ["Levels", "Thermometer"]


class Thermometer(nn.Module):
    """y = how many of the shifts v have x + v >= 1/2: `ops.Thermometer`. It has no gradient.

    Parameters
    ----------
    shifts : Tensor (levels,) of float32
        They do not rise.
    """

    shifts: Tensor

    def __init__(self, shifts: Tensor):
        super().__init__()
        self.register_buffer("shifts", shifts)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for shift in self.shifts:
            y += x + shift >= 0.5
        return y

    def extra_repr(self) -> str:
        return f"{len(self.shifts)}"


class Levels(nn.Module):
    """y = values[x] / 2^exponent: `ops.ScaledLevels`. It has no gradient.

    Parameters
    ----------
    values : Tensor (codes,) of int64
    exponent : int
    """

    values: Tensor

    def __init__(self, values: Tensor, exponent: int):
        super().__init__()
        self.register_buffer("values", values)
        self.exponent = exponent

    def forward(self, x: Tensor) -> Tensor:
        return self.values.float()[x.long()] * 2.0**-self.exponent

    def extra_repr(self) -> str:
        return f"{len(self.values)}, exponent={self.exponent}"


@op_of(Thermometer)
def _thermometer_op(module: Thermometer) -> ops.Thermometer:
    return ops.Thermometer(array_of(module.shifts))


@module_of(ops.Thermometer)
def _thermometer_module(op: ops.Thermometer) -> Thermometer:
    return Thermometer(tensor_of(op.shifts))


@op_of(Levels)
def _levels_op(module: Levels) -> ops.ScaledLevels:
    return ops.ScaledLevels(array_of(module.values), module.exponent)


@module_of(ops.ScaledLevels)
def _levels_module(op: ops.ScaledLevels) -> Levels:
    return Levels(tensor_of(op.values), op.exponent)

"""Learnt shifts, and activations with them: those of ReActNet.

Source: Liu et al., ReActNet, arXiv:2003.03488, section 4.2.

Tests: tests/model/layers/test_requantised_prelu.py
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import InARow, array_of, op_of

from .layers import along_channels

__all__ = ["RPReLU", "Shift"]


class Shift(nn.Module):
    """y[n, c, ..] = x[n, c, ..] + bias[c]; before a sign it is ReActNet's RSign, whose threshold is -bias."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + along_channels(self.bias, x)

    def extra_repr(self) -> str:
        return f"{len(self.bias)}"


class RPReLU(nn.Module):
    """y[n, c, ..] = prelu(x[n, c, ..] - knee[c]) + bias[c], prelu(d) = d where that is above 0, else d*slope[c]."""

    def __init__(self, channels: int, *, slope: float = 0.25):
        super().__init__()
        self.knee = nn.Parameter(torch.zeros(channels))
        self.slope = nn.Parameter(torch.full((channels,), slope))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.prelu(x - along_channels(self.knee, x), self.slope)
        return y + along_channels(self.bias, x)

    def extra_repr(self) -> str:
        return f"{len(self.slope)}"


def _shift(bias: Tensor) -> ops.BatchNorm:
    """A batch norm of mean 0 and variance 1, which takes images as well as vectors."""
    zeros, ones = (array_of(make(bias)) for make in (torch.zeros_like, torch.ones_like))
    return ops.BatchNorm(0.0, zeros, ones, ones, array_of(bias))


@op_of(Shift)
def _shift_op(module: Shift) -> ops.BatchNorm:
    return _shift(module.bias)


@op_of(RPReLU)
def _rprelu_op(module: RPReLU) -> InARow:
    prelu = ops.PRelu(array_of(module.slope))
    return InARow({"knee": _shift(-module.knee), "prelu": prelu, "": _shift(module.bias)})

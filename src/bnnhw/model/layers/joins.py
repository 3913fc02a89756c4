"""Where branches of a network meet, as layers; `a + b` and `torch.cat` in a forward do the same.

Tests: tests/model/export/test_branches.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import AlongAxis, module_of, op_of

__all__ = ["Add", "Concat"]


class Add(nn.Module):
    """y = a + b of two values of the same shape."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Concat(nn.Module):
    """Values side by side along `dim`: 1, the channels of features and of images with channels first; -1 for last."""

    def __init__(self, dim: int = 1):
        super().__init__()
        self.dim = dim

    def forward(self, *values: Tensor) -> Tensor:
        return torch.cat(values, self.dim)


@op_of(Add)
def _add(module: Add) -> ops.Add:
    return ops.Add()


@module_of(ops.Add)
def _add_module(op: ops.Add) -> Add:
    return Add()


@op_of(Concat)
def _concat(module: Concat) -> AlongAxis:
    return AlongAxis(ops.Concat(), module.dim)


@module_of(ops.Concat, channels_first=True)
def _concat_module(op: ops.Concat) -> Concat:
    return Concat()

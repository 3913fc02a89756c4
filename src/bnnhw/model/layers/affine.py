"""Normalisation by two numbers: a factor and an offset.

Tests: tests/model/export/test_save_model.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

__all__ = ["Affine", "TensorNorm"]


class Affine(nn.Module):
    """y = x * weight + bias in float32, rounded after each of the two; weight and bias hold 1 or C values."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class TensorNorm(nn.Module):
    """Batch norm with one mean, variance, weight and bias for the whole tensor instead of one for each channel.

    As the last layer it gives the loss a sane scale and, since every class gets the same rising map, leaves the order
    of the scores alone: hardware needs nothing for it. In eval mode it is exactly `Affine`. (Brevitas' TensorNorm.)
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, *, eps: float = 1e-4, momentum: float = 0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))
        self.register_buffer("running_mean", torch.zeros(1))
        self.register_buffer("running_var", torch.ones(1))

    def folded(self) -> tuple[Tensor, Tensor]:
        """(weight, bias), (1,) each, of the `Affine` that this layer is in eval mode."""
        weight = self.weight * torch.rsqrt(self.running_var + self.eps)
        return weight, self.bias - self.running_mean * weight

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            weight, bias = self.folded()
            return x * weight + bias
        x = x.float()
        variance, mean = torch.var_mean(x, correction=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean.reshape(1), self.momentum)
            self.running_var.lerp_(variance.reshape(1), self.momentum)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias


@op_of(Affine)
def _affine_op(module: Affine) -> ops.Affine:
    return ops.Affine(array_of(module.weight), array_of(module.bias))


@op_of(TensorNorm)
def _norm_op(module: TensorNorm) -> ops.Affine:
    weight, bias = module.folded()
    return ops.Affine(array_of(weight), array_of(bias))


def _channels_first(op: ops.Affine) -> bool | None:
    """Factors of channels take images channels last, one factor takes either."""
    return False if any(array is not None and len(array) > 1 for array in (op.weight, op.bias)) else None


@module_of(ops.Affine, channels_first=_channels_first)
def _module(op: ops.Affine) -> Affine:
    if op.weight is None or op.bias is None:
        raise ValueError("an affine layer of torch has both a weight and a bias")
    return Affine(tensor_of(op.weight), tensor_of(op.bias))

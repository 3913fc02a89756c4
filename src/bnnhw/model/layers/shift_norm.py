"""Batch norm by shifts: its factors are powers of two."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.ops import BatchNorm
from bnnhw.model.registry import array_of, op_of

from .layers import along_channels
from .weights import ap2

__all__ = ["ShiftBatchNorm"]


class _ShiftNorm(torch.autograd.Function):
    """y = AP2(gamma) * (C * AP2(s)) + beta; backwards batch norm's derivatives, with AP2(C), AP2(s) and AP2(gamma)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, inverse: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        centred = x - along_channels(mean, x)
        inverse, factor = ap2(inverse), ap2(gamma)
        ctx.save_for_backward(centred, inverse, factor)
        return along_channels(factor, x) * (centred * along_channels(inverse, x)) + along_channels(beta, x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
        (g,) = grad_outputs
        centred, inverse, factor = ctx.saved_tensors
        power, axes = ap2(centred), _all_but_channels(g)
        product = g * power
        spread = power * along_channels(inverse.square() * product.mean(axes), g)
        d_x = along_channels(factor * inverse, g) * (g - along_channels(g.mean(axes), g) - spread)
        return d_x, None, None, inverse * product.sum(axes), g.sum(axes)


class ShiftBatchNorm(nn.Module):
    """y = AP2(gamma) * (C * AP2(s)) + beta with C = x - mean(x) and s = 1/sqrt(mean(C * AP2(C)) + eps).

    Means are over the batch and, in images, the pixels; gamma and beta are (channels,), x is (N, channels) or (N,
    channels, H, W). The backward pass is that of the authors' code: batch norm's derivatives with powers of two for all
    factors, which are not the derivatives of y. With c = AP2(C), t = AP2(s) and the gradient g of y:

        dL/dx = AP2(gamma) t (g - mean(g) - c t^2 mean(g c)),  dL/dgamma = sum(g c t),  dL/dbeta = sum(g)

    In eval mode mean and s are running ones (`momentum` of the newest batch), and the layer is y = x * w + b with
    w = AP2(gamma) * AP2(s), a power of two, and b = beta - mean * w: two roundings at most, which export keeps exactly.
    Source: Courbariaux et al., arXiv:1602.02830, algorithm 3.
    """

    running_mean: Tensor
    running_inverse: Tensor

    def __init__(self, channels: int, *, eps: float = 1e-4, momentum: float = 0.125):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_inverse", torch.ones(channels))

    def folded(self) -> tuple[Tensor, Tensor]:
        """(w, b), (channels,) each, of the eval mode."""
        weight = ap2(self.weight) * ap2(self.running_inverse)
        return weight, self.bias - self.running_mean * weight

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            weight, bias = self.folded()
            return x * along_channels(weight, x) + along_channels(bias, x)
        x = x.float()
        with torch.no_grad():
            axes = _all_but_channels(x)
            mean = x.mean(axes)
            centred = x - along_channels(mean, x)
            inverse = torch.rsqrt((centred * ap2(centred)).mean(axes) + self.eps)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_inverse.lerp_(inverse, self.momentum)
        return cast(Tensor, _ShiftNorm.apply(x, mean, inverse, self.weight, self.bias))

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


@op_of(ShiftBatchNorm)
def _op(module: ShiftBatchNorm) -> BatchNorm:
    """A batch norm of mean 0 and variance 1."""
    weight, bias = module.folded()
    mean, variance = torch.zeros_like(bias), torch.ones_like(bias)
    return BatchNorm(0.0, array_of(mean), array_of(variance), array_of(weight), array_of(bias))


def _all_but_channels(x: Tensor) -> list[int]:
    """The axes over which means are taken."""
    return [axis for axis in range(x.ndim) if axis != 1]

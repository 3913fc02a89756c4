"""Batch norm by shifts: its factors are powers of two."""

import torch
from torch import Tensor, nn

from .layers import along_channels
from .quantise import straight_through
from .weights import ap2

__all__ = ["ShiftBatchNorm"]


class ShiftBatchNorm(nn.Module):
    """y = AP2(gamma) * (C * AP2(s)) + beta with C = x - mean(x) and s = 1/sqrt(mean(C * AP2(C)) + eps).

    Means are over the batch and, in images, the pixels; gamma and beta are (channels,), x is (N, channels) or (N,
    channels, H, W). AP2 passes gradients as they are, so the backward pass is batch norm's with AP2(C), AP2(s) and
    AP2(gamma) as factors. In eval mode mean and s are running ones (`momentum` of the newest batch), and the layer is y
    = x * w + b with w = AP2(gamma) * AP2(s), a power of two, and b = beta - mean * w: two roundings at most, which
    export keeps exactly. Source: Courbariaux et al., arXiv:1602.02830, algorithm 3.
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
        axes = [axis for axis in range(x.ndim) if axis != 1]
        mean = x.mean(axes)
        centred = x - along_channels(mean, x)
        inverse = torch.rsqrt((centred * _power(centred)).mean(axes) + self.eps)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_inverse.lerp_(inverse, self.momentum)
        normalised = centred * along_channels(_power(inverse), x)
        return along_channels(_power(self.weight), x) * normalised + along_channels(self.bias, x)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


def _power(z: Tensor) -> Tensor:
    """AP2, which passes the gradient as it is."""
    return straight_through(z, ap2(z), z.new_ones(()))

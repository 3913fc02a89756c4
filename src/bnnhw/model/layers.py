"""The layers with parameters: a linear layer with binary weights, and normalisation by two scalars."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .quantise import sign

__all__ = ["Affine", "BinaryLinear", "TensorNorm"]


class BinaryLinear(nn.Module):
    """y = (x . sign(w)) * scale + bias, with one scale and one bias a row where asked for; x (N, in), y (N, out).

    Training moves the latent weights w and `clip` keeps them in [-1, 1], beyond which they would only grow slower to
    flip (BinaryConnect, arXiv:1511.00363). On integer inputs the dot product is exact in float32 up to 2^24.

    Parameters
    ----------
    in_features, out_features : int
    scale, bias : bool
        Whether each row has a factor and an offset. Before a batch norm neither changes what can be learnt.
    """

    def __init__(self, in_features: int, out_features: int, *, scale: bool = False, bias: bool = False):
        super().__init__()
        for name, value in (("in_features", in_features), ("out_features", out_features)):
            if value < 1:
                raise ValueError(f"{name}={value} must be at least 1")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.scale = nn.Parameter(torch.full((out_features,), in_features**-0.5)) if scale else None
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.linear(x, sign(self.weight))
        if self.scale is not None:
            y = y * self.scale
        if self.bias is not None:
            y = y + self.bias
        return y

    @torch.no_grad()
    def clip(self) -> None:
        """Return the latent weights to [-1, 1]; the training loop does so after every step."""
        self.weight.clamp_(-1, 1)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, scale={self.scale is not None}, bias={self.bias is not None}"


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
        variance, mean = torch.var_mean(x, correction=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean.reshape(1), self.momentum)
            self.running_var.lerp_(variance.reshape(1), self.momentum)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias

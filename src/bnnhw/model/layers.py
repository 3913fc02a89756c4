"""The layers with parameters: those with binary weights, and normalisation by two scalars."""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from .quantise import sign

__all__ = ["Affine", "BinaryConv2d", "BinaryLayer", "BinaryLinear", "TensorNorm"]


class BinaryLayer(nn.Module):
    """What all layers with binary weights share: y = (x . sign(w)) * scale + bias, one scale and one bias a channel.

    Training moves the latent weights w and `clip` keeps them in [-1, 1], beyond which they would only grow slower to
    flip (BinaryConnect, arXiv:1511.00363). On integer inputs the dot product is exact in float32 up to 2^24.

    Parameters
    ----------
    shape : tuple of int
        Of the weights, the output channel first.
    scale, bias : bool
        Whether each channel has a factor and an offset. Before a batch norm neither changes what can be learnt.
    """

    def __init__(self, shape: tuple[int, ...], *, scale: bool, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.scale = nn.Parameter(torch.full(shape[:1], prod(shape[1:]) ** -0.5)) if scale else None
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def scaled(self, y: Tensor) -> Tensor:
        """The dot products y (N, channels, ...), times scale, plus bias, rounded after each of the two."""
        for parameter, step in ((self.scale, torch.mul), (self.bias, torch.add)):
            if parameter is not None:
                y = step(y, parameter.view(-1, *(1,) * (y.ndim - 2)))
        return y

    @torch.no_grad()
    def clip(self) -> None:
        """Return the latent weights to [-1, 1]; the training loop does so after every step."""
        self.weight.clamp_(-1, 1)


class BinaryLinear(BinaryLayer):
    """y = (x . sign(w)) * scale + bias; x (N, in), y (N, out).

    Parameters
    ----------
    in_features, out_features : int
    scale, bias : bool
        As for `BinaryLayer`.
    """

    def __init__(self, in_features: int, out_features: int, *, scale: bool = False, bias: bool = False):
        check_positive(in_features=in_features, out_features=out_features)
        super().__init__((out_features, in_features), scale=scale, bias=bias)
        self.in_features = in_features
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        return self.scaled(functional.linear(x, sign(self.weight)))

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, scale={self.scale is not None}, bias={self.bias is not None}"


class BinaryConv2d(BinaryLayer):
    """A convolution (cross-correlation, as in torch) with binary weights, channels first: x (N, C, H, W).

    y[n, o, i, j] = (sum over c, u, v of x[n, c, i*stride + u - padding, j*stride + v - padding] * sign(w[o, c, u, v]))
    * scale[o] + bias[o], where x is `pad_value` beyond the border.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding : int or (int, int)
        Height and width; padding rows and columns are added at both ends.
    pad_value : -1, 0 or 1
        For +-1 inputs, -1 and +1 keep the padded image binary.
    groups : int
        Input and output channels fall into so many groups of neighbours, and each output sees its own group only.
    scale, bias : bool
        As for `BinaryLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        pad_value: int = 0,
        groups: int = 1,
        scale: bool = False,
        bias: bool = False,
    ):
        kernel, strides, paddings = pair(kernel_size), pair(stride), pair(padding)
        check_positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_positive(kernel_size=min(kernel), stride=min(strides))
        if min(paddings) < 0:
            raise ValueError(f"padding={padding} must be at least 0")
        if pad_value not in (-1, 0, 1):
            raise ValueError(f"pad_value={pad_value} must be -1, 0 or 1")
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}")
        super().__init__((out_channels, in_channels // groups, *kernel), scale=scale, bias=bias)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel
        self.stride = strides
        self.padding = paddings
        self.pad_value = pad_value
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"BinaryConv2d takes (N, {self.in_channels}, H, W), not {tuple(x.shape)}; "
                "where images come channels last, put ToChannelsFirst before it"
            )
        padding = self.padding
        if self.pad_value and any(padding):
            height, width = padding
            x = functional.pad(x, (width, width, height, height), value=self.pad_value)
            padding = 0
        weight = sign(self.weight).contiguous(memory_format=torch.channels_last)
        return self.scaled(functional.conv2d(x, weight, stride=self.stride, padding=padding, groups=self.groups))

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, {self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, pad_value={self.pad_value}, groups={self.groups}, "
            f"scale={self.scale is not None}, bias={self.bias is not None}"
        )


def check_positive(**sizes: int) -> None:
    """Raise ValueError, which names the size, unless all are at least 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} must be at least 1")


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a size that may be given as one number for both."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


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

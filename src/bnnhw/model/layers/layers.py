"""The layers with binary weights."""

from contextlib import nullcontext
from functools import partial
from math import prod
from typing import TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

from .quantise import quantise_gradient
from .weights import QuantisedWeight, SignWeights, WeightQuantiser

__all__ = ["BinaryConv2d", "BinaryLayer", "BinaryLinear", "LayerOptions"]


class LayerOptions(TypedDict, total=False):
    """The options of every layer with binary weights; see `BinaryLayer`."""

    weights: WeightQuantiser | None
    activation: nn.Module | None
    scale: bool | nn.Module
    bias: bool
    gradient_bits: int | None


class BinaryLayer(nn.Module):
    """What all layers with binary weights share: y = (activation(x) . values(w)) * scale + bias.

    Training moves the latent weights w; `weights` makes of them what is multiplied by, such as sign(w), and keeps them
    where they belong. On integer inputs the dot product is exact in float32 up to 2^24.

    Parameters
    ----------
    shape : tuple of int
        Of the weights, the output channel first.
    weights : WeightQuantiser, optional
        Default: `SignWeights()`.
    activation : nn.Module, optional
        What the inputs pass before the product, such as `Sign()`. Default: nothing, for inputs that are signs already,
        or a network's first integers.
    scale : bool or nn.Module
        True: a learnt factor for each channel, which multiplies that of `weights` if it has one. A module: it gets the
        dot products, behind the factor of `weights`.
    bias : bool
        Whether each channel has an offset. Before a batch norm neither scale nor bias changes what can be learnt.
    gradient_bits : int, optional
        In training, round the gradient of y to so many bits, 1 to 8 (`quantise_gradient`), before it comes to the
        product: the gradients of weights and inputs are products with it. Default: leave it.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        weights: WeightQuantiser | None = None,
        activation: nn.Module | None = None,
        scale: bool | nn.Module = False,
        bias: bool = False,
        gradient_bits: int | None = None,
    ):
        super().__init__()
        if gradient_bits is not None and not 1 <= gradient_bits <= 8:
            raise ValueError(f"gradient_bits={gradient_bits} must lie between 1 and 8")
        self.gradient_bits = gradient_bits
        self.weight = nn.Parameter(torch.empty(shape))
        self.scale = nn.Parameter(torch.full(shape[:1], prod(shape[1:]) ** -0.5)) if scale is True else None
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        self.activation = activation
        self.map = scale if isinstance(scale, nn.Module) else None
        self.quantiser = SignWeights() if weights is None else weights
        nn.init.xavier_uniform_(self.weight)
        self.quantiser.prepare(self.weight.shape)

    def quantised(self) -> QuantisedWeight:
        """What the layer multiplies by: values, and the product of all factors of a channel.

        Always in float32, so that a training in bfloat16 uses the very signs that will be exported.
        """
        device = self.weight.device.type
        with torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext():
            values, scale = self.quantiser(self.weight)
        if self.scale is not None:
            scale = self.scale if scale is None else scale * self.scale
        return QuantisedWeight(values, scale)

    def scaled(self, y: Tensor, scale: Tensor | None) -> Tensor:
        """The dot products y (N, channels, ...), times scale, plus bias, rounded after each of the two: the output."""
        if scale is not None:
            y = y * along_channels(scale, y)
        if self.map is not None:
            y = self.map(y)
        y = y if self.bias is None else y + along_channels(self.bias, y)
        if self.gradient_bits is not None and y.requires_grad:
            y.register_hook(partial(quantise_gradient, bits=self.gradient_bits))
        return y

    def product(self, x: Tensor, values: Tensor) -> Tensor:
        """The dot products of activations x with these weights."""
        raise NotImplementedError

    def sums(self, x: Tensor, values: Tensor) -> Tensor:
        """The dot products of the layer's inputs; in eval mode exactly, in float64 where float32 could round them."""
        x = self.activated(x)
        if not self.training and self.quantiser.integers and not sums_are_short(x, values):
            x, values = x.double(), values.double()
        return self.product(x, values)

    def forward(self, x: Tensor) -> Tensor:
        values, scale = self.quantised()
        sums = self.sums(x, values)
        return self.scaled(sums.float() if sums.dtype == torch.float64 else sums, scale)

    def activated(self, x: Tensor) -> Tensor:
        """What the product reads."""
        return x if self.activation is None else self.activation(x)

    def clip(self) -> None:
        """Return the latent weights to where `weights` keeps them, [-1, 1] by default; the training loop does so after
        every step."""
        self.quantiser.constrain(self.weight)

    def on_epoch(self, progress: float) -> None:
        """What `epochs.on_epoch` calls."""
        self.quantiser.begin_epoch(self.weight, progress)

    def options_repr(self) -> str:
        """The options of `BinaryLayer`, for `extra_repr`."""
        scale = self.scale is not None or self.map is not None
        return f"scale={scale}, bias={self.bias is not None}"


class BinaryLinear(BinaryLayer):
    """y = (activation(x) . values(w)) * scale + bias; x (N, in), y (N, out).

    Parameters
    ----------
    in_features, out_features : int
    options
        Those of `BinaryLayer`: weights, activation, scale, bias, gradient_bits.
    """

    def __init__(self, in_features: int, out_features: int, **options: Unpack[LayerOptions]):
        check_positive(in_features=in_features, out_features=out_features)
        super().__init__((out_features, in_features), **options)
        self.in_features = in_features
        self.out_features = out_features

    def product(self, x: Tensor, values: Tensor) -> Tensor:
        return functional.linear(x, values)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.options_repr()}"


class BinaryConv2d(BinaryLayer):
    """A convolution (cross-correlation, as in torch) with binary weights, channels first: x (N, C, H, W).

    y[n, o, i, j] = (sum over c, u, v of a[n, c, i*stride + u*dilation - padding, j*stride + v*dilation - padding] *
    values[o, c, u, v]) * scale[o] + bias[o], where a = activation(x) is `pad_value` beyond the border.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or (int, int)
        Height and width; padding rows and columns are added at both ends.
    pad_value : -1, 0 or 1
        For +-1 inputs, -1 and +1 keep the padded image binary.
    groups : int
        Input and output channels fall into so many groups of neighbours, and each output sees its own group only.
    options
        Those of `BinaryLayer`: weights, activation, scale, bias, gradient_bits.
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
        dilation: int | tuple[int, int] = 1,
        **options: Unpack[LayerOptions],
    ):
        kernel, strides, paddings, dilations = (pair(each) for each in (kernel_size, stride, padding, dilation))
        check_positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_positive(kernel_size=min(kernel), stride=min(strides), dilation=min(dilations))
        if min(paddings) < 0:
            raise ValueError(f"padding={padding} must be at least 0")
        if pad_value not in (-1, 0, 1):
            raise ValueError(f"pad_value={pad_value} must be -1, 0 or 1")
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}")
        super().__init__((out_channels, in_channels // groups, *kernel), **options)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size, self.stride, self.padding, self.dilation = kernel, strides, paddings, dilations
        self.pad_value = pad_value
        self.groups = groups

    def product(self, x: Tensor, values: Tensor) -> Tensor:
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
        values = values.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(x, values, None, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, {self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, pad_value={self.pad_value}, groups={self.groups}, dilation={self.dilation}, "
            f"{self.options_repr()}"
        )


def sums_are_short(x: Tensor, values: Tensor) -> bool:
    """Whether all sums are of integers, and of less than float32's 24 bits."""
    greatest = values.flatten(1).abs().sum(1).amax() * torch.maximum(-x.amin(), x.amax())
    return bool((greatest < 2**24) & (x == x.round()).all())


def along_channels(parameter: Tensor, y: Tensor) -> Tensor:
    """A parameter (channels,) in the shape that fits y (N, channels, ...)."""
    return parameter.view(-1, *(1,) * (y.ndim - 2))


def check_positive(**sizes: int) -> None:
    """Raise ValueError, which names the size, unless all are at least 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} must be at least 1")


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a size that may be given as one number for both."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])

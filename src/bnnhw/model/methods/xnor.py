"""XNOR-Net, and Binary-Weight-Networks, which leave the activations as they are."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.quantise import plus_minus_one, straight_through
from bnnhw.model.layers.weights import LEAST, QuantisedWeight, WeightQuantiser, channel_mean

from .base import Method, SignMethod, Traits

__all__ = ["Bwn", "MeanScaledWeights", "Xnor", "XnorConv2d", "XnorLinear"]


class MeanScaledWeights(WeightQuantiser):
    """values = sign(w), scale = alpha = mean|w| of each output channel: alpha * sign(w) is nearest to w.

    The gradient is the paper's, dL/dw_i = dL/dw~_i * (1/n + alpha * 1[|w_i| <= 1]) with w~ = alpha * sign(w) and n
    weights a channel: alpha's own derivative has n terms, of which it keeps that of i. After each step the weights are
    centred over the input channels, where there are several, and clipped to [-1, 1]. Source: Rastegari et al.,
    arXiv:1603.05279, sections 3.1 and 3.2.
    """

    def forward(self, weight: Tensor) -> QuantisedWeight:
        alpha = channel_mean(weight.detach().abs()).clamp_min(LEAST)
        share = 1 / (alpha * weight[0].numel())
        slope = (weight.abs() <= 1) + share.view(-1, *(1,) * (weight.ndim - 1))  # the layer's scale is the factor alpha
        return QuantisedWeight(straight_through(weight, plus_minus_one(weight), slope), alpha)

    @torch.no_grad()
    def constrain(self, weight: Tensor) -> None:
        if weight.shape[1] > 1:
            weight -= weight.mean(1, keepdim=True)
        weight.clamp_(-1, 1)


class XnorConv2d(BinaryConv2d):
    """A convolution with XNOR-Net's K: y = (sign(x) * sign(w)) . K . alpha.

    K is the mean of |x| over the channels and the kernel's window, 0 beyond the border: one factor for each output
    pixel, which depends on the input. `groups` must be 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        magnitude = x.abs().mean(1, keepdim=True)
        return super().forward(x) * functional.avg_pool2d(magnitude, self.kernel_size, self.stride, self.padding)


class XnorLinear(BinaryLinear):
    """`XnorConv2d` for one pixel: K is the mean of |x|, one factor for each sample."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * x.abs().mean(1, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Xnor(SignMethod):
    """alpha * sign(w), activations sign(x).

    input_scale: multiply by K, the means of |x|, as the paper does; without it, as is usual since, hardware needs
    nothing but thresholds. The network's first layer reads integers and has no K. Source: Rastegari et al., XNOR-Net,
    arXiv:1603.05279.
    """

    name = "xnor"
    traits = Traits(
        weights="sign(w), centred",
        activations="sign(x)",
        scale="mean|w|; K",
        gradient="ste",
        hardware="yes; K no: a multiplication a pixel",
        paper="arXiv:1603.05279",
    )

    input_scale: bool = False

    def weights(self) -> WeightQuantiser:
        return MeanScaledWeights()

    def activation(self) -> nn.Module:
        return nn.Identity() if self.input_scale else super().activation()  # K needs the layer's input before its sign

    def linear(self, in_features: int, out_features: int, *, first: bool = False, last: bool = False) -> BinaryLinear:
        if first or not self.input_scale:
            return super().linear(in_features, out_features, first=first, last=last)
        return XnorLinear(in_features, out_features, weights=self.weights(), activation=super().activation())

    def conv2d(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        size: tuple[int, int],
        first: bool = False,
        **geometry: Any,
    ) -> BinaryConv2d:
        if first or not self.input_scale:
            return super().conv2d(in_channels, out_channels, kernel_size, size=size, first=first, **geometry)
        options = {"weights": self.weights(), "activation": super().activation()}
        return XnorConv2d(in_channels, out_channels, kernel_size, **geometry, **options)


@dataclass(frozen=True, kw_only=True)
class Bwn(Method):
    """alpha * sign(w), activations relu(x), of `activation_bits` bits.

    They are numbers of fixed point, n/2^e with n from 0 to 2^activation_bits - 1 and e found in training; residual
    networks have bits of their own. In the paper they are real. Source: Rastegari et al., arXiv:1603.05279, section
    3.1.
    """

    name = "bwn"
    traits = Traits(
        weights="sign(w), centred",
        activations="relu(x)",
        scale="mean|w|",
        gradient="ste",
        hardware="yes",
        paper="arXiv:1603.05279",
    )
    pad_value = 0

    activation_bits: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.activation_bits <= 15:
            raise ValueError(f"activation_bits={self.activation_bits} of method 'bwn' must lie between 1 and 15")

    def weights(self) -> WeightQuantiser:
        return MeanScaledWeights()

    def fixed_point(self) -> FixedPointOptions:
        return FixedPointOptions(bits=self.activation_bits + 1)  # whose sign relu(x) leaves out

    def activation(self) -> nn.Module:
        return nn.ReLU()

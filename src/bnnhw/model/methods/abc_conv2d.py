"""Convolutions and transposed ones with ABC-Net's weights, where they may also stay real.

Source: Lin, Zhao and Pan, Towards Accurate Binary Convolutional Neural Network, arXiv:1711.11294. A convolution with
M bases of the weights and N of the activations is M*N binary convolutions::

    conv(W, X) ~ sum over m, n of alpha_m * beta_n * conv(B_m, A_n)

They are computed here as one convolution of the two sums, which is the same number but for float32's rounding.
`methods.abc_net` makes the sums.

`BinaryConv2d(weights=AbcWeights(M))`, which the method `abc` builds its networks of, computes the same as `AbcConv2d`.
These layers are torch's own but for the weight: they begin with torch's initial weights, so that 0 bases are the
network that the binary ones are compared with, and there is a transposed one.
"""

from torch import Tensor, nn
from torch.nn import functional

from .abc_net import AbcWeights

__all__ = ["AbcConv2d", "AbcConvTranspose2d"]


class AbcConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with `weight` approximated by `bases` binary tensors, zero-padded; 0 leaves it real."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bases: int, padding: int = 0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)
        self.bases = bases
        self.quantiser = quantiser_of(bases)

    def forward(self, input: Tensor) -> Tensor:
        return functional.conv2d(input, quantised(self.weight, self.quantiser), self.bias, padding=self.padding)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bases={self.bases}"


class AbcConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` of 2x2 with stride 2 and no bias, its `weight` approximated by `bases` binary tensors;
    0 leaves it real.

    Nothing overlaps: each of the four pixels of a block is a 1x1 convolution of the one that it comes from.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bases: int):
        super().__init__(in_channels, out_channels, 2, stride=2, bias=False)
        self.bases = bases
        self.quantiser = quantiser_of(bases)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        return functional.conv_transpose2d(input, quantised(self.weight, self.quantiser), stride=2)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bases={self.bases}"


def quantiser_of(bases: int) -> AbcWeights | None:
    """What makes the binary tensors, None where there are none; ValueError if `bases` is less than 0."""
    if bases < 0:
        raise ValueError(f"bases={bases} must be at least 0, which leaves the weights real")
    return AbcWeights(bases) if bases else None


def quantised(weight: Tensor, quantiser: AbcWeights | None) -> Tensor:
    """What a layer multiplies by instead of its latent weights."""
    if quantiser is None:
        return weight
    values, scale = quantiser(weight)
    return values if scale is None else values * scale[0]

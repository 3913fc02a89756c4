"""The low-light network as hardware has it: integers for the input, for the factors of its bases, and for its colours.

Tests: tests/lowlight/network/test_deployed.py
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.model.fixed_point.calibration import calibrate
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.layers.channels import ToChannelsFirst
from bnnhw.model.layers.layers import BinaryConv2d
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d
from bnnhw.model.methods.abc_net import AbcWeights

from .unet import AbcLsid

__all__ = ["FACTOR_BITS", "INPUT_RANGE", "calibrated", "deployed", "integers_of"]

INPUT_RANGE = (0, 4095)
"""An amplified, packed mosaic's numbers: 4095 is 1."""
FACTOR_BITS = 8


def integers_of(packed: NDArray[np.float32]) -> NDArray[np.int64]:
    """Packed, amplified mosaics (N, 4, H, W) in [0, 1] as the integers (N, H, W, 4) that hardware takes."""
    lo, hi = INPUT_RANGE
    return np.clip(np.rint(packed.transpose(0, 2, 3, 1) * np.float32(hi)), lo, hi).astype(np.int64)


def calibrated(network: AbcLsid, mosaics: NDArray[np.integer]) -> nn.Module:
    """`deployed`, its fixed-point numbers chosen by mosaics (N, H, W, 4) of `INPUT_RANGE`; in eval mode."""
    made = deployed(network)
    calibrate(made, mosaics.astype(np.int64))
    return made.eval()


def deployed(network: AbcLsid, options: FixedPointOptions | None = None) -> nn.Module:
    """The network with its parameters, from images (N, H, W, 4) of `INPUT_RANGE` to sRGB, (N, 3, 2H, 2W).

    The factors alpha and beta are integers of 8 bits over a common scale; the first and the last convolution have
    integer weights (`fixed_point.in_fixed_point`). It is to be calibrated. ValueError where weights or activations
    are real.
    """
    shape = network.shape
    if not shape.has_hardware:
        raise ValueError(
            f"weight_bases={shape.weight_bases} and activation_bases={shape.activation_bases} must both be at least 1 "
            "for hardware; real numbers have none"
        )
    return in_fixed_point(_Deployed(network).eval(), options or FixedPointOptions())


class _Deployed(nn.Module):
    """Layers of the same names, as far as there are any."""

    def __init__(self, network: AbcLsid):
        super().__init__()
        self.channels_first = ToChannelsFirst()
        self.down, self.up, self.join = (
            nn.ModuleList(_layers(block) for block in blocks) for blocks in (network.down, network.up, network.join)
        )
        first = cast(nn.Conv2d, cast(nn.Sequential, cast(nn.Sequential, self.down[0])[0]).conv)
        first.weight = nn.Parameter(first.weight / INPUT_RANGE[1])
        self.pool = nn.MaxPool2d(2)
        self.head = network.head
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.channels_first(x)
        skips: list[Tensor] = []
        for level in self.down:
            x = level(self.pool(x) if skips else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = join(torch.cat([up(x), skip], dim=1))
        return self.shuffle(self.head(x))


def _layers(block: nn.Module) -> nn.Sequential:
    """A block of convolutions, each with what stands around it."""
    if isinstance(block[0], nn.Sequential):  # pyright: ignore[reportIndexIssue] blocks are sequences
        return nn.Sequential(*(_layers(each) for each in cast(nn.Sequential, block)))
    return nn.Sequential(OrderedDict(_renewed(block.named_children())))


def _renewed(layers: Iterable[tuple[str, nn.Module]]) -> Iterable[tuple[str, nn.Module]]:
    """The layers by name, those of bases with integer factors."""
    for name, layer in layers:
        match layer:
            case AbcConv2d(bases=bases):
                made = _convolution(layer.weight, bases, padding=cast(tuple[int, int], layer.padding), bias=layer.bias)
                yield name, made
            case AbcConvTranspose2d(bases=bases):
                weight = layer.weight.permute(1, 2, 3, 0)  # (out, 2, 2, in)
                yield name, _convolution(weight.flatten(0, 2)[..., None, None], bases, padding=(0, 0), bias=None)
                yield "shuffle", nn.PixelShuffle(2)
            case BinaryBases():
                bases = BinaryBases(len(layer.beta), factor_bits=FACTOR_BITS)
                bases.load_state_dict(layer.state_dict())
                yield name, bases
            case nn.Conv2d():
                made = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1)
                made.load_state_dict(layer.state_dict())
                yield name, made
            case nn.LeakyReLU():  # one for each convolution, as what is behind it decides what it becomes
                yield name, nn.LeakyReLU(layer.negative_slope)
            case _:
                yield name, layer


def _convolution(weight: Tensor, bases: int, *, padding: tuple[int, int], bias: Tensor | None) -> BinaryConv2d:
    """Of latent weights (out, in, kernel, kernel)."""
    outputs, inputs, kernel, _ = weight.shape
    weights = AbcWeights(bases, factor_bits=FACTOR_BITS)
    made = BinaryConv2d(inputs, outputs, kernel, padding=padding, weights=weights, bias=bias is not None)
    made.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return made

"""The low-light network as hardware has it: integers for the input, for the factors of its bases, and for its colours.

Tests: tests/lowlight/network/test_deployed.py
"""

from collections import OrderedDict
from collections.abc import Iterable
from copy import deepcopy
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

from .bbcu_unet import BbcuUNet
from .kinds import Network
from .unet import AbcLsid
from .xnor_unet import XnorUNet

__all__ = ["FACTOR_BITS", "INPUT_RANGE", "calibrated", "deployed", "has_hardware", "integers_of"]

INPUT_RANGE = (0, 4095)
"""An amplified, packed mosaic's numbers: 4095 is 1."""
FACTOR_BITS = 8


def integers_of(packed: NDArray[np.float32]) -> NDArray[np.int64]:
    """Packed, amplified mosaics (N, C, H, W) in [0, 1] as the integers (N, H, W, C) that hardware takes."""
    lo, hi = INPUT_RANGE
    return np.clip(np.rint(packed.transpose(0, 2, 3, 1) * np.float32(hi)), lo, hi).astype(np.int64)


def has_hardware(network: Network) -> bool:
    """Whether `deployed` takes it."""
    match network:
        case AbcLsid(shape=shape):
            return shape.weight_bases > 0 and shape.activation_bases > 0
        case _:
            return isinstance(network, BbcuUNet)


def calibrated(network: Network, mosaics: NDArray[np.integer]) -> nn.Module:
    """`deployed`, its fixed-point numbers chosen by mosaics (N, H, W, C) of `INPUT_RANGE`; in eval mode."""
    made = deployed(network)
    calibrate(made, mosaics.astype(np.int64))
    return made.eval()


def deployed(network: Network, options: FixedPointOptions | None = None) -> nn.Module:
    """The network with its parameters, from images (N, H, W, C) of `INPUT_RANGE` to sRGB, (N, 3, block * H, block * W).

    The factors alpha and beta are integers of 8 bits over a common scale; convolutions of real weights have integers
    (`fixed_point.in_fixed_point`), and residual paths are of fixed point. It is to be calibrated. ValueError where
    there is no hardware: for weights or activations that are real, for the factors of pixels of an xnor-unet.
    """
    match network:
        case BbcuUNet():
            made = _DeployedUnits(network)
        case AbcLsid():
            made = _DeployedBases(network)
        case XnorUNet():
            raise ValueError("xnor-unet has a factor K for each pixel, which is none for hardware; train a bbcu-unet")
    return in_fixed_point(made.eval(), options or FixedPointOptions())


class _DeployedUnits(nn.Module):
    """The network itself, behind other numbers."""

    def __init__(self, network: BbcuUNet):
        super().__init__()
        self.channels_first = ToChannelsFirst()
        self.network = deepcopy(network)
        _take_integers(cast(nn.Conv2d, self.network.stem.conv))

    def forward(self, x: Tensor) -> Tensor:
        return self.network.picture(self.channels_first(x))


class _DeployedBases(nn.Module):
    """Layers of the same names, as far as there are any."""

    def __init__(self, network: AbcLsid):
        shape = network.shape
        if not has_hardware(network):
            raise ValueError(
                f"weight_bases={shape.weight_bases} and activation_bases={shape.activation_bases} must both be at "
                "least 1 for hardware; real numbers have none"
            )
        super().__init__()
        self.channels_first = ToChannelsFirst()
        self.down, self.up, self.join = (
            nn.ModuleList(_layers(block) for block in blocks) for blocks in (network.down, network.up, network.join)
        )
        _take_integers(cast(nn.Conv2d, cast(nn.Sequential, cast(nn.Sequential, self.down[0])[0]).conv))
        self.pool = nn.MaxPool2d(2)
        self.head = network.head
        self.shuffle = nn.PixelShuffle(shape.filters.block)

    def forward(self, x: Tensor) -> Tensor:
        x = self.channels_first(x)
        skips: list[Tensor] = []
        for level in self.down:
            x = level(self.pool(x) if skips else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = join(torch.cat([up(x), skip], dim=1))
        return self.shuffle(self.head(x))


def _take_integers(first: nn.Conv2d) -> None:
    """The network's first convolution reads numbers of `INPUT_RANGE`."""
    first.weight = nn.Parameter(first.weight / INPUT_RANGE[1])


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
                weight = layer.weight.permute(1, 2, 3, 0).flatten(0, 2)[..., None, None]  # of (out, 2, 2, in)
                yield name, _convolution(weight, bases, padding=(0, 0), bias=None) if bases else _real(weight)
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


def _real(weight: Tensor) -> nn.Conv2d:
    """Of weights (out, in, 1, 1)."""
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)
    made.weight = nn.Parameter(weight)
    return made

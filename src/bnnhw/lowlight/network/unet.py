"""The U-Net of "Learning to See in the Dark" with binary convolutions, called ABCLSID."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d

__all__ = ["BLOCK", "HALO", "AbcLsid", "AbcLsidShape"]

_LEVELS = 5
BLOCK = 2 ** (_LEVELS - 1)
"""Sizes are multiples of it: the poolings go down to one pixel for each block."""
HALO = 6 * BLOCK
"""A block's result depends on no packed pixel farther from it than that (exactly, than 94)."""


@dataclass(frozen=True, kw_only=True)
class AbcLsidShape:
    """What sets one network apart from another.

    Attributes
    ----------
    width : int
        Channels of the first level; each level below has twice as many. 32 in the paper.
    weight_bases, activation_bases : int
        M and N of ABC-Net, 0 to 8; 0 leaves weights or activations real, so 0 and 0 is the paper's U-Net.
    """

    width: int = 32
    weight_bases: int = 3
    activation_bases: int = 3

    def __post_init__(self) -> None:
        for name, least, greatest in (("width", 1, 128), ("weight_bases", 0, 8), ("activation_bases", 0, 8)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= greatest:
                raise ValueError(f"{name}={value!r} must be an integer from {least} to {greatest}")

    @property
    def is_binary(self) -> bool:
        """Whether weights and activations are; only then there is hardware."""
        return self.weight_bases > 0 and self.activation_bases > 0


class AbcLsid(nn.Module):
    """Packed mosaics (N, 4, H, W), amplified, to sRGB pictures (N, 3, 2H, 2W); H and W are multiples of 16.

    Five levels of two 3x3 convolutions, each followed by a leaky ReLU of slope 0.2. On the way down, max poolings 2x2
    lie between them; on the way up, transposed convolutions 2x2, whose results stand beside what the same level gave on
    the way down. At the end a 1x1 convolution to 12 channels, which are the colours of 2x2 pixels. The first and the
    last convolution stay real, the others have `shape.weight_bases` binary bases each. Where activations are binary, a
    batch norm and `BinaryBases` precede each such convolution.

    Source: Chen et al., arXiv:1805.01934; Falkena, Marwade and Quist, "Learning To Efficiently See In The Dark".
    """

    def __init__(self, shape: AbcLsidShape):
        super().__init__()
        self.shape = shape
        widths = [shape.width * 2**level for level in range(_LEVELS)]
        self.down = nn.ModuleList(
            self._level(inputs, outputs, first=first)
            for inputs, outputs, first in zip((4, *widths), widths, (True, *(False,) * 4), strict=False)
        )
        self.up = nn.ModuleList(self._upward(widths[level + 1], widths[level]) for level in reversed(range(4)))
        self.join = nn.ModuleList(self._level(2 * widths[level], widths[level]) for level in reversed(range(4)))
        self.head = nn.Conv2d(shape.width, 12, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                outputs = module.out_channels * module.kernel_size[0] * module.kernel_size[1]
                nn.init.normal_(module.weight, std=(2 / outputs) ** 0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _level(self, inputs: int, outputs: int, *, first: bool = False) -> nn.Sequential:
        """Two convolutions 3x3; the network's first one is real."""
        real = {"conv": nn.Conv2d(inputs, outputs, 3, padding=1)}
        activate = {"activate": nn.LeakyReLU(0.2)}
        return nn.Sequential(
            nn.Sequential(OrderedDict((real if first else self._convolution(inputs, outputs)) | activate)),
            nn.Sequential(OrderedDict(self._convolution(outputs, outputs) | activate)),
        )

    def _convolution(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        convolution = AbcConv2d(inputs, outputs, 3, padding=1, bases=self.shape.weight_bases)
        return self._binariser(inputs) | {"conv": convolution}

    def _upward(self, inputs: int, outputs: int) -> nn.Sequential:
        convolution = AbcConvTranspose2d(inputs, outputs, bases=self.shape.weight_bases)
        return nn.Sequential(OrderedDict(self._binariser(inputs) | {"conv": convolution}))

    def _binariser(self, channels: int) -> dict[str, nn.Module]:
        """What makes a convolution's input binary."""
        count = self.shape.activation_bases
        return {"norm": nn.BatchNorm2d(channels), "binarise": BinaryBases(count)} if count else {}

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != 4 or x.shape[2] % BLOCK or x.shape[3] % BLOCK:
            raise ValueError(
                f"AbcLsid takes (N, 4, H, W) with H and W multiples of {BLOCK}, not {tuple(x.shape)}; "
                "bnnhw.lowlight.enhance takes mosaics of any size"
            )
        skips: list[Tensor] = []
        for level in self.down:
            if skips:
                x = functional.max_pool2d(x, 2)
            x = level(x)
            skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([up(x), skips.pop()], dim=1))
        return cast(Tensor, functional.pixel_shuffle(self.head(x), 2))

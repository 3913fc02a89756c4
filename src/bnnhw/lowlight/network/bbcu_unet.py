"""A U-Net of basic binary convolution units: integers on the residual path, one binary convolution for each of them."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from bnnhw.model.layers.gradients import Polynomial
from bnnhw.model.layers.layers import BinaryConv2d
from bnnhw.model.layers.quantise import Sign
from bnnhw.model.layers.shifts import RPReLU, Shift

from .shape import NetworkShape
from .unet import check_mosaics

__all__ = ["BbcuUNet", "BbcuUNetShape", "Branch", "Shrink", "Unit"]

_LEVELS = 3
_FIRST_DEVIATION = 0.3
"""Of what a branch adds before it learns: little, as one adds to the other."""


@dataclass(frozen=True, kw_only=True)
class BbcuUNetShape(NetworkShape):
    """width: a quarter of the first level's channels, as each of its pixels stands for four packed ones. Each level
    below has twice as many."""

    @property
    def block(self) -> int:
        return 2**_LEVELS

    @property
    def halo(self) -> int:  # exactly 62
        return 8 * self.block

    def __str__(self) -> str:
        return self.described("bbcu-unet")


class BbcuUNet(nn.Module):
    """Packed mosaics (N, 4, H, W), amplified, to sRGB pictures (N, 3, 2H, 2W), or of X-Trans (N, 9, H, W) to
    (N, 3, 3H, 3W); H and W are multiples of 8.

    Blocks of 2x2 packed pixels become one pixel of 16 channels (X-Trans: 36), of which a real convolution 3x3 and an
    RPReLU make the residual path. On three levels stand units, y = x + branch(x), which have a binary convolution each:
    two on the way down, two on the way up, four on the lowest level. No norm stands on the path or beside it. The last
    convolution, 1x1 and real, gives the colours of 4x4 pixels (6x6).

    The sums are real numbers here, and of fixed point in hardware (`deployed`). Source: Xia et al., Basic Binary
    Convolution Unit for Binarized Image Restoration Network, arXiv:2210.00405. The unit is theirs but for its learnt
    scale, theirs is mean|w|; the U-Net around it is not.
    """

    def __init__(self, shape: BbcuUNetShape):
        super().__init__()
        self.shape = shape
        widths = [4 * shape.width * 2**level for level in range(_LEVELS)]
        upper = widths[:-1]
        self.unshuffle = nn.PixelUnshuffle(2)
        stem = {"conv": nn.Conv2d(4 * shape.filters.channels, widths[0], 3, padding=1), "bend": RPReLU(widths[0])}
        self.stem = nn.Sequential(OrderedDict(stem))
        self.down = nn.ModuleList(_units(width, 2) for width in upper)
        self.shrink = nn.ModuleList(Shrink(width) for width in upper)
        self.bottom = _units(widths[-1], 4)
        self.grow = nn.ModuleList(
            nn.Sequential(Branch(2 * width, 4 * width, kernel=1), nn.PixelShuffle(2)) for width in reversed(upper)
        )
        self.up = nn.ModuleList(_units(width, 2) for width in reversed(upper))
        self.head = nn.Conv2d(widths[0], 12 * shape.filters.channels, 1)
        self.shuffle = nn.PixelShuffle(2 * shape.filters.block)

    def forward(self, x: Tensor) -> Tensor:
        check_mosaics(self, self.shape, x)
        return self.picture(x)

    def picture(self, x: Tensor) -> Tensor:
        """What `forward` gives, of mosaics that fit."""
        x = self.stem(self.unshuffle(x))
        skips: list[Tensor] = []
        for level, shrink in zip(self.down, self.shrink, strict=True):
            x = level(x)
            skips.append(x)
            x = shrink(x)
        x = self.bottom(x)
        for level, grow, skip in zip(self.up, self.grow, reversed(skips), strict=True):
            x = level(skip + grow(x))
        return cast(Tensor, self.shuffle(self.head(x)))


class Branch(nn.Sequential):
    """y = bend(scale * conv(sign(x + shift))), conv binary and padded by zeros, bend an RPReLU; shift and scale are
    learnt for each channel, and so is the bend.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        1 or 3.
    """

    def __init__(self, inputs: int, outputs: int, *, kernel: int):
        conv = BinaryConv2d(inputs, outputs, kernel, padding=kernel // 2, scale=True)
        assert conv.scale is not None
        nn.init.constant_(conv.scale, _FIRST_DEVIATION * (inputs * kernel**2) ** -0.5)
        layers = {"shift": Shift(inputs), "sign": Sign(Polynomial()), "conv": conv, "bend": RPReLU(outputs)}
        super().__init__(OrderedDict(layers))


class Unit(nn.Module):
    """y = x + branch(x), the branch's convolution 3x3."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch = Branch(channels, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class Shrink(nn.Module):
    """Half the size and twice the `channels`: the averages of 2x2 pixels, twice beside each other, plus a branch 1x1 of
    these four pixels' channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.average = nn.AvgPool2d(2)
        self.unshuffle = nn.PixelUnshuffle(2)
        self.branch = Branch(4 * channels, 2 * channels, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        average = self.average(x)
        return torch.cat([average, average], dim=1) + self.branch(self.unshuffle(x))


def _units(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Unit(channels) for _ in range(count)))

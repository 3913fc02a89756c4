"""The U-Net of "Learning to See in the Dark", and with binary convolutions, called ABCLSID."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d

from .shape import NetworkShape, check_integer

__all__ = ["AbcLsid", "AbcLsidShape", "UNet", "UNetShape", "check_mosaics"]


@dataclass(frozen=True, kw_only=True)
class UNetShape(NetworkShape):
    """What all U-Nets have.

    Attributes
    ----------
    width : int
        Channels of the first level; each level below has twice as many. 32 in the paper.
    levels : int
        2 to 5, the paper's.
    """

    levels: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("levels", self.levels, 2, 5)

    @property
    def block(self) -> int:
        return 2 ** (self.levels - 1)

    @property
    def halo(self) -> int:  # exactly 94 of five levels
        return 6 * self.block

    def described(self, kind: str) -> str:
        """The kind of network, and its levels where they are not the paper's."""
        return super().described(kind if self.levels == UNetShape.levels else f"{kind}, {self.levels} levels")


@dataclass(frozen=True, kw_only=True)
class AbcLsidShape(UNetShape):
    """What sets one network apart from another.

    Attributes
    ----------
    weight_bases, activation_bases : int
        M and N of ABC-Net, 0 to 8; 0 leaves weights or activations real, so 0 and 0 is the paper's U-Net.
    transposed : "binary" or "real"
        The transposed convolutions: as the others, or of real weights and activations.
    """

    weight_bases: int = 3
    activation_bases: int = 3
    transposed: Literal["binary", "real"] = "binary"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("weight_bases", "activation_bases"):
            check_integer(name, getattr(self, name), 0, 8)
        if self.transposed not in ("binary", "real"):
            raise ValueError(f"transposed={self.transposed!r} must be 'binary' or 'real'")

    def __str__(self) -> str:
        bases = f"M = {self.weight_bases}, N = {self.activation_bases}"
        return self.described(bases if self.transposed == "binary" else f"{bases}, transposed real")


class UNet(nn.Module):
    """Packed mosaics (N, 4, H, W), amplified, to sRGB pictures (N, 3, 2H, 2W), or of X-Trans (N, 9, H, W) to
    (N, 3, 3H, 3W); H and W are multiples of
    the shape's block.

    Levels of two 3x3 convolutions, each followed by a leaky ReLU of slope 0.2. On the way down, max poolings 2x2 lie
    between them; on the way up, transposed convolutions 2x2, whose results stand beside what the same level gave on the
    way down. At the end a 1x1 convolution to 12 channels, which are the colours of 2x2 pixels, or to 27, of 3x3. The
    first and the last convolution are real; what the others are, subclasses say. Source: Chen et al., arXiv:1805.01934.
    """

    def __init__(self, shape: UNetShape):
        super().__init__()
        self._shape = shape
        widths = [shape.width * 2**level for level in range(shape.levels)]
        self.down = nn.ModuleList(
            self._level(inputs, outputs, first=first)
            for inputs, outputs, first in zip(
                (shape.filters.channels, *widths), widths, (True, *(False,) * shape.levels), strict=False
            )
        )
        self.up = nn.ModuleList(
            nn.Sequential(OrderedDict(self.transposed(2 * outputs, outputs))) for outputs in reversed(widths[:-1])
        )
        self.join = nn.ModuleList(self._level(2 * outputs, outputs) for outputs in reversed(widths[:-1]))
        self.head = nn.Conv2d(shape.width, 3 * shape.filters.channels, 1)
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
            nn.Sequential(OrderedDict((real if first else self.convolution(inputs, outputs)) | activate)),
            nn.Sequential(OrderedDict(self.convolution(outputs, outputs) | activate)),
        )

    def convolution(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        """A convolution 3x3, padded by zeros, and what stands before it."""
        raise NotImplementedError

    def transposed(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        """A transposed convolution 2x2 with stride 2, and what stands around it."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        check_mosaics(self, self._shape, x)
        skips: list[Tensor] = []
        for level in self.down:
            if skips:
                x = functional.max_pool2d(x, 2)
            x = level(x)
            skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([up(x), skips.pop()], dim=1))
        return cast(Tensor, functional.pixel_shuffle(self.head(x), self._shape.filters.block))


def check_mosaics(network: nn.Module, shape: NetworkShape, x: Tensor) -> None:
    """ValueError where `x` is no batch of packed mosaics that the network of this shape takes."""
    channels = shape.filters.channels
    if x.ndim != 4 or x.shape[1] != channels or x.shape[2] % shape.block or x.shape[3] % shape.block:
        raise ValueError(
            f"{type(network).__name__} takes (N, {channels}, H, W) with H and W multiples of {shape.block}, "
            f"not {tuple(x.shape)}; bnnhw.lowlight.enhance takes mosaics of any size"
        )


class AbcLsid(UNet):
    """The U-Net with `shape.weight_bases` binary bases for each convolution but the first and the last. Where
    activations are binary, a batch norm and `BinaryBases` precede each such convolution.

    Source: Falkena, Marwade and Quist, "Learning To Efficiently See In The Dark".
    """

    def __init__(self, shape: AbcLsidShape):
        self.shape = shape
        super().__init__(shape)

    def convolution(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        convolution = AbcConv2d(inputs, outputs, 3, padding=1, bases=self.shape.weight_bases)
        return self._binariser(inputs) | {"conv": convolution}

    def transposed(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        if self.shape.transposed == "real":
            return {"conv": AbcConvTranspose2d(inputs, outputs, bases=0)}
        convolution = AbcConvTranspose2d(inputs, outputs, bases=self.shape.weight_bases)
        return self._binariser(inputs) | {"conv": convolution}

    def _binariser(self, channels: int) -> dict[str, nn.Module]:
        """What makes a convolution's input binary."""
        count = self.shape.activation_bases
        return {"norm": nn.BatchNorm2d(channels), "binarise": BinaryBases(count)} if count else {}

"""What residual networks are built of: stems, blocks of two convolutions, and what stands around these.

Tests: tests/model/networks/test_resnet.py
Tests: tests/model/networks/test_mobilenet.py
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.shifts import RPReLU, Shift
from bnnhw.model.layers.shortcuts import SubsampleAndPad
from bnnhw.model.methods import Method

from .structure import WidthOptions

__all__ = ["Builder", "FixedOptions", "Residual", "Shortcuts", "head"]

Shortcuts = Literal["plain", "bireal", "reactnet"]


@dataclass(frozen=True, kw_only=True)
class FixedOptions(WidthOptions):
    """What networks with real sums leave open.

    numbers: "fixed", which hardware has, or "real"; fixed is chosen where the method allows it. bits: of a value of
    fixed point. weight_bits: of the first layer's, the shortcuts' and the last one's weights; 1 makes them binary, each
    channel with a factor.
    """

    numbers: Literal["fixed", "real"] | None = None
    bits: int = 12
    weight_bits: int = 8

    def __post_init__(self):
        super().__post_init__()
        for name, least, most in (("bits", 2, 16), ("weight_bits", 1, 8)):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} must lie between {least} and {most}")

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        """What real numbers become; None where they stay."""
        one = method.conv2d(1, 1, 1, size=(1, 1))
        few = one.quantiser.integers or one.quantiser.bits == 1
        allowed = one.map is None and few and one.quantiser.bases == 1
        if self.numbers == "real" or (self.numbers is None and not allowed):
            return None
        return FixedPointOptions(bits=self.bits, weight_bits=self.weight_bits)


class Residual(nn.Module):
    """y = squash(body(x) + shortcut(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, squash: nn.Module):
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        return self.squash(self.body(x) + self.shortcut(x))


@dataclass(kw_only=True)
class Builder:
    """Makes the blocks one after the other and keeps the `size` (height, width) of what they give.

    shortcuts: "plain", around two convolutions; "bireal", around each; "reactnet", around each, with a learnt shift
    before each activation, and behind each sum an RPReLU in the place of `squash`.
    """

    method: Method
    size: tuple[int, int]
    shortcuts: Shortcuts
    downsample: Literal["A", "B"]
    squash: Callable[[], nn.Module] = nn.Identity

    def shrink(self, stride: int) -> None:
        """What a window with its usual padding makes of the size."""
        self.size = (-(-self.size[0] // stride), -(-self.size[1] // stride))

    def stem(self, channels: int, width: int, *, large: bool = False) -> nn.Module:
        """The first convolution, with real weights, on the input's integers; batch norm brings them into range. 7x7
        with stride 2 and a max pooling where pictures are `large`."""
        kernel, stride = (7, 2) if large else (3, 1)
        conv = nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False)
        layers = OrderedDict[str, nn.Module](conv=conv, norm=nn.BatchNorm2d(width), squash=self.squash())
        self.shrink(stride)
        if large:
            layers["pool"] = nn.MaxPool2d(3, 2, padding=1)
            self.shrink(2)
        return nn.Sequential(layers)

    def block(self, channels: int, width: int, *, stride: int, separable: bool = False) -> nn.Module:
        """Two binary convolutions: 3x3 both; or, `separable`, 3x3 in each channel alone, then 1x1."""
        between, groups, kernel = (channels, channels, 1) if separable else (width, 1, 3)
        plain = self.shortcuts == "plain"
        shortcut = self.shortcut(channels, width if plain else between, stride=stride)
        first = self.convolution(channels, between, stride=stride, groups=groups)
        around = shortcut if plain else self.shortcut(between, width, stride=1)
        second = self.convolution(between, width, stride=1, kernel=kernel)
        if plain:
            body = {f"{name}{n}": layer for n, part in ((1, first), (2, second)) for name, layer in part.items()}
            return Residual(nn.Sequential(OrderedDict(body)), shortcut, self.behind(width))
        return nn.Sequential(
            Residual(nn.Sequential(OrderedDict(first)), shortcut, self.behind(between)),
            Residual(nn.Sequential(OrderedDict(second)), around, self.behind(width)),
        )

    def behind(self, width: int) -> nn.Module:
        """What stands behind a sum."""
        return RPReLU(width) if self.shortcuts == "reactnet" else self.squash()

    def convolution(
        self, channels: int, width: int, *, stride: int, kernel: int = 3, groups: int = 1
    ) -> dict[str, nn.Module]:
        """Activation, binary convolution, batch norm."""
        self.shrink(stride)
        conv = self.method.conv2d(
            channels, width, kernel, size=self.size, stride=stride, padding=kernel // 2, pad_value=0, groups=groups
        )
        shift = {"shift": Shift(channels)} if self.shortcuts == "reactnet" else {}
        return {**shift, "sign": self.method.activation(), "conv": conv, "norm": self.method.norm(width, images=True)}

    def shortcut(self, channels: int, width: int, *, stride: int) -> nn.Module:
        if stride == 1 and channels == width:
            return nn.Identity()
        if self.downsample == "A":
            return SubsampleAndPad(stride=stride, padding=width - channels)
        odd = any(length % stride for length in self.size)
        pool = {} if self.shortcuts == "plain" else {"pool": nn.AvgPool2d(stride, ceil_mode=odd)}
        conv = nn.Conv2d(channels, width, 1, stride=1 if pool else stride, bias=False)
        return nn.Sequential(OrderedDict({**pool, "conv": conv, "norm": nn.BatchNorm2d(width)}))


def head(channels: int, classes: int) -> dict[str, nn.Module]:
    """From images to scores; a batch norm stands before the last layer, as in the code of IR-Net and RBNN."""
    return {
        "pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "norm": nn.BatchNorm1d(channels),
        "output": nn.Linear(channels, classes),
    }

"""Residual networks with binary convolutions, of any method.

As is usual, the first convolution, those of the shortcuts and the last layer have weights of several bits: they are a
few percent of the operations. Sums are numbers of fixed point (`fixed_point.conversion`), unless the method has real
factors or weights of its own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor, nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.channels import ToChannelsFirst
from bnnhw.model.layers.shortcuts import SubsampleAndPad
from bnnhw.model.methods import Method
from bnnhw.model.options import with_options

__all__ = ["ResNet", "ResNetOptions", "Residual"]

_LARGE = 128  # pixels of height from which a picture gets ImageNet's stem


@dataclass(frozen=True, kw_only=True)
class ResNetOptions:
    """What is open about a residual network; None is chosen for you.

    stem: "cifar", a convolution 3x3, or "imagenet", 7x7 with stride 2 and a max pooling, which pictures of 128 rows and
    more get. shortcuts: "plain", around two convolutions, or "bireal", around each, which the method bireal gets.
    downsample: "A", every second pixel and new channels of 0, or "B", an average and a convolution 1x1, in plain
    shortcuts a convolution 1x1 with stride 2. squash: "hardtanh" behind the stem and behind each sum, as in the code of
    IR-Net and RBNN, stops the gradients of large values, without which SGD diverges; by Adam networks learn faster
    without it. numbers: "fixed", which hardware has, or "real"; fixed is chosen where the method allows it. bits: of a
    value of fixed point. weight_bits: of the first layer's, the shortcuts' and the last one's weights; 1 makes them
    binary, each channel with a factor.
    """

    stem: Literal["cifar", "imagenet"] | None = None
    shortcuts: Literal["plain", "bireal"] | None = None
    downsample: Literal["A", "B"] | None = None
    squash: Literal["hardtanh", "none"] = "none"
    numbers: Literal["fixed", "real"] | None = None
    bits: int = 12
    weight_bits: int = 8

    def __post_init__(self):
        for name, least, most in (("bits", 2, 16), ("weight_bits", 1, 8)):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} must lie between {least} and {most}")


@dataclass(frozen=True, kw_only=True)
class ResNet:
    """A residual network: for each stage its channels and its blocks of two convolutions 3x3. Every stage but the first
    begins with stride 2. He et al., arXiv:1512.03385.

    downsample: of the shortcuts, where the options leave it open.
    """

    stages: tuple[tuple[int, int], ...]
    downsample: Literal["A", "B"]
    options: ResNetOptions = field(default_factory=ResNetOptions)
    input_bits: int = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of the stages."""
        return tuple(channels for channels, _ in self.stages)

    def with_options(self, options: Sequence[str], *, what: str) -> "ResNet":
        return replace(self, options=with_options(ResNetOptions, options, what=what))

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        one = method.conv2d(1, 1, 1, size=(1, 1))
        allowed = one.map is None and one.quantiser.bits == one.quantiser.bases == 1
        if self.options.numbers == "real" or (self.options.numbers is None and not allowed):
            return None
        return FixedPointOptions(bits=self.options.bits, weight_bits=self.options.weight_bits)

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """Plain blocks are squash(norm(conv(a(norm(conv(a(x)))))) + shortcut(x)) with the method's activation a,
        Bi-Real blocks squash(norm(conv(a(x))) + shortcut(x)), twice (arXiv:1808.00278). Binary convolutions are padded
        with zeros, as published, `binary` inputs as well. A batch norm stands before the last layer, as in the code of
        IR-Net and RBNN.
        """
        if len(shape) != 3:
            raise ValueError(f"residual networks take images (H, W, C), not {tuple(shape)}")
        height, width, channels = shape
        builder = _Builder(self, method, size=(height, width))
        first = self.stages[0][0]
        layers: OrderedDict[str, nn.Module] = OrderedDict(channels_first=ToChannelsFirst())
        layers["stem"] = builder.stem(channels, first)
        channels = first
        for number, (width, blocks) in enumerate(self.stages, start=1):
            for block in range(1, blocks + 1):
                stride = 2 if number > 1 and block == 1 else 1
                layers[f"stage{number}_block{block}"] = builder.block(channels, width, stride=stride)
                channels = width
        layers |= {
            "pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "norm": nn.BatchNorm1d(channels),
            "output": nn.Linear(channels, classes),
        }
        return layers


class Residual(nn.Module):
    """y = squash(body(x) + shortcut(x))."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, squash: nn.Module):
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        return self.squash(self.body(x) + self.shortcut(x))


class _Builder:
    """Makes the blocks one after the other and keeps the `size` (height, width) of what they give."""

    def __init__(self, network: ResNet, method: Method, *, size: tuple[int, int]):
        options = network.options
        self.method = method
        self.size = size
        self.large = options.stem == "imagenet" if options.stem else size[0] >= _LARGE
        self.bireal = (options.shortcuts or method.shortcuts) == "bireal"
        self.downsample = options.downsample or network.downsample
        self.squash = nn.Hardtanh if options.squash == "hardtanh" else nn.Identity

    def shrink(self, stride: int) -> None:
        """What a window with its usual padding makes of the size."""
        self.size = (-(-self.size[0] // stride), -(-self.size[1] // stride))

    def stem(self, channels: int, width: int) -> nn.Module:
        """The first convolution, with real weights, on the input's integers; batch norm brings them into range."""
        kernel, stride = (7, 2) if self.large else (3, 1)
        conv = nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False)
        layers = OrderedDict[str, nn.Module](conv=conv, norm=nn.BatchNorm2d(width), squash=self.squash())
        self.shrink(stride)
        if self.large:
            layers["pool"] = nn.MaxPool2d(3, 2, padding=1)
            self.shrink(2)
        return nn.Sequential(layers)

    def block(self, channels: int, width: int, *, stride: int) -> nn.Module:
        """Two binary convolutions."""
        shortcut = self.shortcut(channels, width, stride=stride)
        first = self.convolution(channels, width, stride=stride)
        second = self.convolution(width, width, stride=1)
        if not self.bireal:
            body = {f"{name}{n}": layer for n, part in ((1, first), (2, second)) for name, layer in part.items()}
            return Residual(nn.Sequential(OrderedDict(body)), shortcut, self.squash())
        halves = ((first, shortcut), (second, nn.Identity()))
        return nn.Sequential(
            *(Residual(nn.Sequential(OrderedDict(part)), around, self.squash()) for part, around in halves)
        )

    def convolution(self, channels: int, width: int, *, stride: int) -> dict[str, nn.Module]:
        """Activation, binary convolution 3x3, batch norm."""
        self.shrink(stride)
        conv = self.method.conv2d(channels, width, 3, size=self.size, stride=stride, padding=1, pad_value=0)
        return {"sign": self.method.activation(), "conv": conv, "norm": self.method.norm(width, images=True)}

    def shortcut(self, channels: int, width: int, *, stride: int) -> nn.Module:
        if stride == 1 and channels == width:
            return nn.Identity()
        if self.downsample == "A":
            return SubsampleAndPad(stride=stride, padding=width - channels)
        odd = any(length % stride for length in self.size)
        pool = {"pool": nn.AvgPool2d(stride, ceil_mode=odd)} if self.bireal else {}
        conv = nn.Conv2d(channels, width, 1, stride=1 if pool else stride, bias=False)
        return nn.Sequential(OrderedDict({**pool, "conv": conv, "norm": nn.BatchNorm2d(width)}))

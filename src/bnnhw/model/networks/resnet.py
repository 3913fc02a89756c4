"""Residual networks with binary convolutions, of any method.

As is usual, the first convolution, those of the shortcuts and the last layer have weights of several bits: they are a
few percent of the operations. Sums are numbers of fixed point (`fixed_point.conversion`), unless the method has real
factors or weights of its own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.channels import ToChannelsFirst
from bnnhw.model.methods import Method
from bnnhw.model.options import with_options

from .residual import Builder, FixedOptions, Shortcuts, head

__all__ = ["ResNet", "ResNetOptions"]

_LARGE = 128  # pixels of height from which a picture gets ImageNet's stem


@dataclass(frozen=True, kw_only=True)
class ResNetOptions(FixedOptions):
    """What is open about a residual network; None is chosen for you.

    stem: "cifar", a convolution 3x3, or "imagenet", 7x7 with stride 2 and a max pooling, which pictures of 128 rows and
    more get. shortcuts: "plain", around two convolutions, "bireal", around each, which the method bireal gets, or
    "reactnet", the same with learnt shifts and RPReLUs. downsample: "A", every second pixel and new channels of 0, or
    "B", an average and a convolution 1x1, in plain shortcuts a convolution 1x1 with stride 2. squash: "hardtanh" behind
    the stem and behind each sum, as in the code of IR-Net and RBNN, stops the gradients of large values, without which
    SGD diverges; by Adam networks learn faster without it.
    """

    stem: Literal["cifar", "imagenet"] | None = None
    shortcuts: Shortcuts | None = None
    downsample: Literal["A", "B"] | None = None
    squash: Literal["hardtanh", "none"] = "none"


@dataclass(frozen=True, kw_only=True)
class ResNet:
    """A residual network: for each stage its channels and its blocks of two convolutions 3x3. Every stage but the first
    begins with stride 2. He et al., arXiv:1512.03385.

    downsample, shortcuts: where the options leave them open; None leaves the shortcuts to the method.
    """

    stages: tuple[tuple[int, int], ...]
    downsample: Literal["A", "B"]
    shortcuts: Shortcuts | None = None
    options: ResNetOptions = field(default_factory=ResNetOptions)
    input_bits: int = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of the stages."""
        return tuple(channels for channels, _ in self.stages)

    def with_options(self, options: Sequence[str], *, what: str) -> "ResNet":
        chosen = with_options(ResNetOptions, options, what=what)
        stages = tuple((chosen.of(channels), blocks) for channels, blocks in self.stages)
        return replace(self, stages=stages, options=chosen)

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        return self.options.fixed_point(method)

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """Plain blocks are squash(norm(conv(a(norm(conv(a(x)))))) + shortcut(x)) with the method's activation a,
        Bi-Real blocks squash(norm(conv(a(x))) + shortcut(x)), twice (arXiv:1808.00278), ReActNet's
        rprelu(norm(conv(a(x + b))) + shortcut(x)), twice (arXiv:2003.03488). Binary convolutions are padded with zeros,
        as published, `binary` inputs as well.
        """
        if len(shape) != 3:
            raise ValueError(f"residual networks take images (H, W, C), not {tuple(shape)}")
        height, width, channels = shape
        options = self.options
        builder = Builder(
            method=method,
            size=(height, width),
            shortcuts=options.shortcuts or self.shortcuts or ("bireal" if method.shortcuts == "bireal" else "plain"),
            downsample=options.downsample or self.downsample,
            squash=nn.Hardtanh if options.squash == "hardtanh" else nn.Identity,
        )
        large = options.stem == "imagenet" if options.stem else height >= _LARGE
        first = self.stages[0][0]
        layers: OrderedDict[str, nn.Module] = OrderedDict(channels_first=ToChannelsFirst())
        layers["stem"] = builder.stem(channels, first, large=large)
        channels = first
        for number, (width, blocks) in enumerate(self.stages, start=1):
            for block in range(1, blocks + 1):
                stride = 2 if number > 1 and block == 1 else 1
                layers[f"stage{number}_block{block}"] = builder.block(channels, width, stride=stride)
                channels = width
        return layers | head(channels, classes)

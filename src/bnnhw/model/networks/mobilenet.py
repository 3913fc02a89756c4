"""Networks of binary convolutions of single channels and of single pixels, of any method.

A depthwise convolution 3x3 and a pointwise one 1x1 in the place of a 3x3 one: MobileNet's (Howard et al.,
arXiv:1704.04861). With a shortcut around each, learnt shifts and RPReLUs, as in ReActNet (Liu et al.,
arXiv:2003.03488), whose own network has dense convolutions 3x3 in the place of depthwise ones.
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

from .residual import Builder, FixedOptions, head

__all__ = ["MobileNet", "MobileNetOptions"]


@dataclass(frozen=True, kw_only=True)
class MobileNetOptions(FixedOptions):
    """What these networks leave open.

    shortcuts: "reactnet", or "bireal", the same without shifts and RPReLUs.
    """

    shortcuts: Literal["reactnet", "bireal"] = "reactnet"


@dataclass(frozen=True, kw_only=True)
class MobileNet:
    """A convolution 3x3 of the stem's channels, then blocks of a depthwise and a pointwise convolution: for each its
    channels and the stride of the depthwise one. New channels of a shortcut are 0."""

    stem: int
    blocks: tuple[tuple[int, int], ...]
    options: MobileNetOptions = field(default_factory=MobileNetOptions)
    input_bits: int = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of the stem and of the blocks."""
        return (self.stem, *(channels for channels, _ in self.blocks))

    def with_options(self, options: Sequence[str], *, what: str) -> "MobileNet":
        chosen = with_options(MobileNetOptions, options, what=what)
        blocks = tuple((chosen.of(channels), stride) for channels, stride in self.blocks)
        return replace(self, stem=chosen.of(self.stem), blocks=blocks, options=chosen)

    def fixed_point(self, method: Method) -> FixedPointOptions | None:
        return self.options.fixed_point(method)

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """Binary convolutions are padded with zeros."""
        if len(shape) != 3:
            raise ValueError(f"networks of convolutions take images (H, W, C), not {tuple(shape)}")
        height, width, channels = shape
        builder = Builder(method=method, size=(height, width), shortcuts=self.options.shortcuts, downsample="A")
        layers: OrderedDict[str, nn.Module] = OrderedDict(channels_first=ToChannelsFirst())
        layers["stem"] = builder.stem(channels, self.stem)
        channels = self.stem
        for number, (width, stride) in enumerate(self.blocks, start=1):
            layers[f"block{number}"] = builder.block(channels, width, stride=stride, separable=True)
            channels = width
        return layers | head(channels, classes)

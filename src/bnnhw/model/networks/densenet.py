"""Densely connected networks of binary convolutions, of any method: bits side by side."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.joins import Concat
from bnnhw.model.methods import Method
from bnnhw.model.options import with_options

from .blocks import Convolution, Images, conv_block, score_block
from .structure import InBits, WidthOptions

__all__ = ["Beside", "DenseNet"]


@dataclass(frozen=True, kw_only=True)
class DenseNet(InBits):
    """A convolution 3x3 of `stem` channels, then for each of `blocks` so many convolutions 3x3, each of `growth`
    channels, which reads the activations of all before it in its block. Between two blocks a convolution 1x1 halves the
    channels, and a max pooling the image.

    Source: Huang et al., DenseNet, arXiv:1608.06993; with binary convolutions Bethge et al., BinaryDenseNet,
    arXiv:1906.08637, which has no bottlenecks either. There sums lie side by side, each reader has a batch norm of its
    own, and the first, the last and the 1x1 layers are real; here activations lie side by side, and all is binary.

    pool: whether a max pooling stands behind the first convolution, for images that are larger than digits.
    """

    stem: int
    growth: int
    blocks: tuple[int, ...]
    pool: bool = False
    input_bits: int = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels behind each block."""
        widths, channels = [], 2 * self.stem
        for count in self.blocks:
            channels = channels // 2 + count * self.growth
            widths.append(channels)
        return tuple(widths)

    def with_options(self, options: Sequence[str], *, what: str) -> "DenseNet":
        chosen = with_options(WidthOptions, options, what=what)
        return replace(self, stem=chosen.of(self.stem), growth=chosen.of(self.growth))

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """Every convolution has its batch norm and activation behind it, and all are the method's."""
        images = Images.given(shape, binary=binary)
        stem = Convolution(channels=self.stem, padding=1, pool=self.pool)
        layers: OrderedDict[str, nn.Module] = OrderedDict(channels_first=ToChannelsFirst())
        layers["stem"] = conv_block(method, images, stem)
        images = images.behind(stem, "stem")
        growing = Convolution(channels=self.growth, padding=1)
        for block, count in enumerate(self.blocks, start=1):
            if block > 1:
                name = f"transition{block - 1}"
                transition = Convolution(channels=images.channels // 2, padding=0, kernel=1, pool=True)
                layers[name] = conv_block(method, images, transition)
                images = images.behind(transition, name)
            for number in range(1, count + 1):
                layers[f"block{block}_layer{number}"] = Beside(conv_block(method, images, growing))
                images = replace(images, channels=images.channels + self.growth)
        layers |= {"channels_last": ToChannelsLast(), "flatten": nn.Flatten()}
        layers["output"] = score_block(method, images.features, classes)
        return layers


class Beside(nn.Module):
    """y = the channels of x, and behind them those of body(x)."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        return self.concat(x, self.body(x))

"""Residual networks of binary convolutions whose shortcuts carry integers, of any method."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.joins import Add
from bnnhw.model.methods import Method
from bnnhw.model.options import with_options

from .blocks import Convolution, Images, activated, conv_block, convolution, score_block, sequence
from .structure import InBits, WidthOptions

__all__ = ["Adding", "PreResNet", "PreResNetOptions"]

Sums = Literal["products", "activations"]


@dataclass(frozen=True)
class PreResNetOptions(WidthOptions):
    """What these networks leave open.

    adds: "products", a convolution's dot products are added to those before it; or "activations", each convolution has
    a batch norm and an activation behind it, and these are added. Methods whose layers have factors, such as mean|w|,
    make sums of products that are no integers: their networks have hardware with "activations".
    """

    adds: Sums = "products"


@dataclass(frozen=True, kw_only=True)
class PreResNet(InBits):
    """A convolution 3x3 of the first stage's channels, its batch norm and activation; then, for each stage its channels
    and so many convolutions 3x3, each with a shortcut around it and the activation before it. Every stage but the first
    begins with stride 2. A stage's first shortcut is a convolution 1x1 of the same bits.

    Sources: He et al., arXiv:1603.05027, for activations before convolutions, so that sums pass unchanged; Liu et al.,
    Bi-Real Net, arXiv:1808.00278, for a shortcut around each binary convolution. There a batch norm stands behind
    each convolution, and the sums are of real numbers.

    pool: whether a max pooling stands behind the first convolution.
    """

    stages: tuple[tuple[int, int], ...]
    pool: bool = False
    adds: Sums = "products"
    input_bits: int = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of the stages."""
        return tuple(channels for channels, _ in self.stages)

    def with_options(self, options: Sequence[str], *, what: str) -> "PreResNet":
        chosen = with_options(PreResNetOptions, options, what=what)
        return replace(
            self, stages=tuple((chosen.of(channels), count) for channels, count in self.stages), adds=chosen.adds
        )

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """All layers are the method's, the first, the last and the shortcuts included."""
        images = Images.given(shape, binary=binary)
        stem = Convolution(channels=self.stages[0][0], padding=1, pool=self.pool)
        layers: OrderedDict[str, nn.Module] = OrderedDict(channels_first=ToChannelsFirst())
        layers["stem"] = conv_block(method, images, stem)
        images = images.behind(stem, "stem")
        make = convolution if self.adds == "products" else conv_block
        for stage, (channels, count) in enumerate(self.stages, start=1):
            for number in range(1, count + 1):
                name = f"stage{stage}_layer{number}"
                first = number == 1
                layer = Convolution(channels=channels, padding=1, stride=2 if first and stage > 1 else 1)
                around = replace(layer, padding=0, kernel=1)
                layers[name] = Adding(
                    before=None if first and stage == 1 else sequence(**activated(method, images.channels)),
                    body=make(method, images, layer),
                    shortcut=make(method, images, around) if first else None,
                )
                images = images.behind(layer, name)
        layers["last"] = sequence(**activated(method, images.channels))
        layers |= {"channels_last": ToChannelsLast(), "flatten": nn.Flatten()}
        layers["output"] = score_block(method, images.features, classes)
        return layers


class Adding(nn.Module):
    """y = body(a) + shortcut(a), a = before(x); x itself in the place of shortcut(a) where there is no shortcut."""

    def __init__(self, *, before: nn.Module | None, body: nn.Module, shortcut: nn.Module | None):
        super().__init__()
        self.before = before
        self.body = body
        self.shortcut = shortcut
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        a = x if self.before is None else self.before(x)
        return self.add(self.body(a), x if self.shortcut is None else self.shortcut(a))

"""What networks for images are built of: convolutions with what stands behind them, and the scores.

Tests: tests/model/networks/test_catalogue.py
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from bnnhw.model.layers.affine import TensorNorm
from bnnhw.model.layers.layers import BinaryConv2d
from bnnhw.model.methods import Method

__all__ = ["Convolution", "Images", "activated", "conv_block", "convolution", "score_block", "sequence"]


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A binary convolution, perhaps a max pooling 2x2, batch norm and sign, in this order.

    `padding` rows and columns at each border hold 0 in the first layer, whose inputs are integers, and elsewhere the
    method's `pad_value`.
    """

    channels: int
    padding: int
    kernel: int = 3
    stride: int = 1
    pool: bool = False


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a layer reads.

    size: (height, width). input_size: that of the network's input. pad_value: beyond the border of the network's input
    itself; None behind a layer, where it is the method's.
    """

    channels: int
    size: tuple[int, int]
    input_size: tuple[int, int]
    pad_value: int | None = None

    @classmethod
    def given(cls, shape: Sequence[int], *, binary: bool) -> "Images":
        """The network's inputs of this shape (H, W, C). ValueError where they are no images."""
        if len(shape) != 3:
            raise ValueError(f"networks of convolutions take images (H, W, C), not {tuple(shape)}")
        height, width, channels = shape
        return cls(
            channels=channels, size=(height, width), input_size=(height, width), pad_value=-1 if binary else 0
        )  # fmt: skip

    @property
    def features(self) -> int:
        """Elements of an image."""
        return self.size[0] * self.size[1] * self.channels

    def convolved(self, layer: Convolution) -> "Images":
        """What the convolution alone makes of them."""
        height, width = ((length + 2 * layer.padding - layer.kernel) // layer.stride + 1 for length in self.size)
        return Images(channels=layer.channels, size=(height, width), input_size=self.input_size)

    def behind(self, layer: Convolution, name: str) -> "Images":
        """What the block `name` makes of them. ValueError where nothing is left."""
        height, width = (length // (1 + layer.pool) for length in self.convolved(layer).size)
        if min(height, width) < 1:
            raise ValueError(
                f"images of {self.input_size[0]}x{self.input_size[1]} are too small: nothing is left of them behind "
                f"{name}; choose a network with fewer poolings, or larger images"
            )
        return Images(channels=layer.channels, size=(height, width), input_size=self.input_size)


def convolution(method: Method, images: Images, layer: Convolution) -> BinaryConv2d:
    """The convolution of `layer` on these images."""
    return method.conv2d(
        images.channels,
        layer.channels,
        layer.kernel,
        size=images.convolved(layer).size,
        first=images.pad_value is not None,
        stride=layer.stride,
        padding=layer.padding,
        pad_value=method.pad_value if images.pad_value is None else images.pad_value,
    )


def activated(method: Method, channels: int) -> dict[str, nn.Module]:
    """Batch norm and the method's activation, behind so many channels of images."""
    return {"norm": method.norm(channels, images=True), "sign": method.activation()}


def conv_block(method: Method, images: Images, layer: Convolution) -> nn.Sequential:
    """All of `layer` on these images."""
    pool = {"pool": nn.MaxPool2d(2)} if layer.pool else {}
    return sequence(conv=convolution(method, images, layer), **pool, **activated(method, layer.channels))


def score_block(method: Method, features: int, classes: int, *, dropout: float = 0.0) -> nn.Sequential:
    """From features to scores, all of which get the same rising map."""
    first = {"dropout": nn.Dropout(dropout)} if dropout else {}
    return sequence(**first, linear=method.linear(features, classes, last=True), norm=TensorNorm())


def sequence(**layers: nn.Module) -> nn.Sequential:
    """The layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))

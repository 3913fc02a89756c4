"""The named networks: perceptrons and convolutional networks with binary weights and activations.

`tfc`, `sfc` and `lfc` are FINN's (arXiv:1612.07119): three hidden layers of 64, 256 and 1024; so is `cnv`, after
BinaryNet's. `mlp-2048`, `mlp-4096`, `bnn-cifar10` and `bnn-svhn` are those of the BNN paper (arXiv:1602.02830).
`vgg-small` is the network of the comparisons since (arXiv:1702.00953), `lenet` a small one for digits. `mlp` leaves the
size open. `resnet18`, `resnet20` and `resnet34` are residual networks (`resnet.py`).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from torch import nn

from bnnhw.model.layers.affine import TensorNorm
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.quantise import InputThreshold
from bnnhw.model.methods import Method
from bnnhw.model.methods.bnn import Bnn
from bnnhw.model.options import with_options

from .resnet import ResNet, ResNetOptions, build_resnet

__all__ = ["NETWORKS", "Architecture", "Convolution", "architecture", "build_network"]


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A binary convolution 3x3, perhaps a max pooling 2x2, batch norm and sign, in this order.

    `padding` rows and columns at each border hold 0 in the first layer, whose inputs are integers, and elsewhere the
    method's `pad_value`.
    """

    channels: int
    padding: int
    pool: bool = False


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network's name stands for: its convolutions, the widths of its hidden layers, dropout in training, and
    the bits of an input element that it looks at unless told otherwise."""

    widths: tuple[int, ...]
    input_dropout: float = 0.0
    dropout: float = 0.0
    convolutions: tuple[Convolution, ...] = ()
    input_bits: int = 1


@dataclass(frozen=True)
class ChainOptions:
    """What networks of layers one after the other leave open.

    channels: percent of the published channels and neurons of each hidden layer, at least one. 50 is pruning before
    training; what a trained network can do without, `pruning.prune` finds out. dropout: whether a network that its
    article trains with dropout is trained so here; trainings that are shorter than the article's do better without.
    """

    channels: int = 100
    dropout: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 400:
            raise ValueError(f"channels={self.channels} must lie between 1 and 400 percent")

    def apply(self, network: Architecture) -> Architecture:
        """`network` with so many channels, and its dropout or none."""
        if not self.dropout:
            network = replace(network, input_dropout=0.0, dropout=0.0)
        convolutions = (replace(layer, channels=self._of(layer.channels)) for layer in network.convolutions)
        return replace(network, widths=tuple(map(self._of, network.widths)), convolutions=tuple(convolutions))

    def _of(self, count: int) -> int:
        return max(1, round(count * self.channels / 100))


def _convolutional(*channels: tuple[int, int], widths: tuple[int, ...], padding: int, pools: int = 3) -> Architecture:
    """Pairs of convolutions, with a pooling behind each of the first `pools` pairs; 8-bit inputs."""
    convolutions = (
        Convolution(channels=count, padding=padding, pool=second == 1 and number < pools)
        for number, pair in enumerate(channels)
        for second, count in enumerate(pair)
    )
    return Architecture(widths=widths, convolutions=tuple(convolutions), input_bits=8)


NETWORKS: Mapping[str, Architecture | ResNet] = {
    "mlp": Architecture(widths=(64,) * 3),
    "tfc": Architecture(widths=(64,) * 3),
    "sfc": Architecture(widths=(256,) * 3),
    "lfc": Architecture(widths=(1024,) * 3),
    "mlp-2048": Architecture(widths=(2048,) * 3),
    "mlp-4096": Architecture(widths=(4096,) * 3, input_dropout=0.2, dropout=0.5),
    "lenet": Architecture(
        widths=(64,),
        convolutions=tuple(Convolution(channels=channels, padding=1, pool=True) for channels in (16, 32)),
        input_bits=8,
    ),
    "cnv": _convolutional((64, 64), (128, 128), (256, 256), widths=(512, 512), padding=0, pools=2),
    "vgg-small": _convolutional((128, 128), (256, 256), (512, 512), widths=(), padding=1),
    "bnn-cifar10": _convolutional((128, 128), (256, 256), (512, 512), widths=(1024, 1024), padding=1),
    "bnn-svhn": _convolutional((64, 64), (128, 128), (256, 256), widths=(512, 512), padding=1),
    "resnet18": ResNet(stages=((64, 2), (128, 2), (256, 2), (512, 2)), downsample="B"),
    "resnet20": ResNet(stages=((16, 3), (32, 3), (64, 3)), downsample="A"),
    "resnet34": ResNet(stages=((64, 3), (128, 4), (256, 6), (512, 3)), downsample="B"),
}


def architecture(
    network: str, *, width: int | None = None, depth: int | None = None, options: Sequence[str] = ()
) -> Architecture | ResNet:
    """The architecture called `network`.

    `width` and `depth` of the hidden layers may be chosen for `mlp` only; `options`, such as `("channels=50",)`, are
    those of `ChainOptions`, or of residual networks (`resnet.ResNetOptions`).
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known ones are {', '.join(NETWORKS)}")
    known = NETWORKS[network]
    kind = ResNetOptions if isinstance(known, ResNet) else ChainOptions
    chosen = with_options(kind, options, what=f"network {network!r}")
    if isinstance(known, ResNet) and isinstance(chosen, ResNetOptions):
        known = replace(known, options=chosen)
    if width is None and depth is None:
        return chosen.apply(known) if isinstance(known, Architecture) and isinstance(chosen, ChainOptions) else known
    if network != "mlp":
        raise ValueError(f"network {network!r} has fixed widths {known.widths}; choose a width or depth with 'mlp'")
    width, depth = known.widths[0] if width is None else width, len(known.widths) if depth is None else depth
    for name, value in (("width", width), ("depth", depth)):
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1")
    assert isinstance(chosen, ChainOptions)
    return chosen.apply(Architecture(widths=(width,) * depth))


def build_network(
    architecture: Architecture | ResNet,
    *,
    shape: Sequence[int],
    lo: int,
    hi: int,
    classes: int,
    input_bits: int | None = None,
    method: Method = Bnn(),  # noqa: B008 it is frozen
) -> nn.Sequential:
    """A binary network: input -> convolutions -> (binary linear -> batch norm -> sign) for each width -> binary linear
    -> scores.

    The method makes every layer, the first and the last included: the first takes the input's integers, so no layer
    with real weights is needed. Residual networks are another matter, see `resnet.build_resnet`.

    It takes the raw integers of the input as float32, (N, *shape), and gives (N, classes).

    Parameters
    ----------
    architecture : Architecture or ResNet
    shape : sequence of int
        Of one input, such as (28, 28, 1).
    lo, hi : int
        The least and the greatest value of an input element.
    classes : int
    input_bits : 1 or 8, optional
        1 cuts the input in the middle of its range; 8 feeds it as it is. Default: the architecture's.
    method : Method
        Makes the layers, and what stands between batch norm and the next layer under the name `sign`.
    """
    input_bits = architecture.input_bits if input_bits is None else input_bits
    if input_bits not in (1, 8):
        raise ValueError(f"input_bits={input_bits} must be 1 or 8")
    network = nn.Sequential()
    if input_bits == 1:
        network.add_module("binarise", InputThreshold((lo + hi) / 2))
    if isinstance(architecture, ResNet):
        if len(shape) != 3:
            raise ValueError(f"residual networks take images (H, W, C), not {tuple(shape)}")
        height, width, channels = shape
        layers = build_resnet(architecture, shape=(height, width, channels), classes=classes, method=method)
        return nn.Sequential(OrderedDict([*network.named_children(), *layers.items()]))
    features = _add_convolutions(network, architecture.convolutions, shape, method, binary=input_bits == 1)
    network.add_module("flatten", nn.Flatten())
    dropout = architecture.input_dropout
    for number, width in enumerate(architecture.widths, start=1):
        linear = method.linear(features, width, first=number == 1 and not architecture.convolutions)
        block = _block(dropout, linear=linear, norm=method.norm(width, images=False), sign=method.activation())
        network.add_module(f"hidden{number}", block)
        features, dropout = width, architecture.dropout
    network.add_module("output", _block(dropout, linear=method.linear(features, classes, last=True), norm=TensorNorm()))
    return network


def _add_convolutions(
    network: nn.Sequential,
    convolutions: Sequence[Convolution],
    shape: Sequence[int],
    method: Method,
    *,
    binary: bool,
) -> int:
    """Add blocks `conv1`, `conv2`, ... to `network` and return the features of an image behind them."""
    if not convolutions:
        return prod(shape)
    height, width, channels = shape
    network.add_module("channels_first", ToChannelsFirst())
    for number, layer in enumerate(convolutions, start=1):
        size = (height + 2 * layer.padding - 2, width + 2 * layer.padding - 2)
        height, width = (length // (1 + layer.pool) for length in size)
        if min(height, width) < 1:
            raise ValueError(
                f"images of {shape[0]}x{shape[1]} are too small: nothing is left of them behind conv{number}; "
                "choose a network with fewer poolings, or larger images"
            )
        pad_value = method.pad_value if number > 1 else -1 if binary else 0
        convolution = method.conv2d(
            channels, layer.channels, 3, size=size, first=number == 1, padding=layer.padding, pad_value=pad_value
        )
        pool = {"pool": nn.MaxPool2d(2)} if layer.pool else {}
        norm = method.norm(layer.channels, images=True)
        block = {"conv": convolution, **pool, "norm": norm, "sign": method.activation()}
        network.add_module(f"conv{number}", nn.Sequential(OrderedDict(block)))
        channels = layer.channels
    network.add_module("channels_last", ToChannelsLast())
    return height * width * channels


def _block(dropout: float, **layers: nn.Module) -> nn.Sequential:
    """The layers one after the other by name, behind a dropout where there is one."""
    first = {"dropout": nn.Dropout(dropout)} if dropout else {}
    return nn.Sequential(OrderedDict(first | layers))

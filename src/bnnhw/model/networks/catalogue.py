"""The named networks: perceptrons and convolutional networks with binary weights and activations.

`tfc`, `sfc` and `lfc` are FINN's (arXiv:1612.07119): three hidden layers of 64, 256 and 1024; so is `cnv`, after
BinaryNet's. `mlp-2048`, `mlp-4096`, `bnn-cifar10` and `bnn-svhn` are those of the BNN paper (arXiv:1602.02830).
`vgg-small` is the network of the comparisons since (arXiv:1702.00953), `lenet` a small one for digits. `mlp` leaves the
size open. `densenet7` and `preresnet6` have branches, for digits, `densenet16` and `preresnet11` for 32x32 pixels
(`densenet.py`, `preresnet.py`); their numbers count the layers one behind the other. Networks whose sums are numbers of
fixed point: `resnet8`, for digits, `resnet18`, `resnet20` and `resnet34` (`resnet.py`); `reactnet8`, for digits, and
`reactnet20`, the same with ReActNet's blocks; `mobilenet8`, for digits, and `mobilenet20`, of depthwise and pointwise
convolutions (`mobilenet.py`).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from torch import nn

from bnnhw.model.fixed_point.conversion import in_fixed_point
from bnnhw.model.layers.quantise import InputThreshold
from bnnhw.model.methods import Method
from bnnhw.model.methods.bnn import Bnn

from .blocks import Convolution
from .chain import Architecture
from .densenet import DenseNet
from .mobilenet import MobileNet
from .preresnet import PreResNet
from .resnet import ResNet
from .structure import Structure

__all__ = ["NETWORKS", "architecture", "build_network"]


def _convolutional(*channels: tuple[int, int], widths: tuple[int, ...], padding: int, pools: int = 3) -> Architecture:
    """Pairs of convolutions, with a pooling behind each of the first `pools` pairs; 8-bit inputs."""
    convolutions = (
        Convolution(channels=count, padding=padding, pool=second == 1 and number < pools)
        for number, pair in enumerate(channels)
        for second, count in enumerate(pair)
    )
    return Architecture(widths=widths, convolutions=tuple(convolutions), input_bits=8)


NETWORKS: Mapping[str, Structure] = {
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
    "densenet7": DenseNet(stem=16, growth=16, blocks=(2, 2)),
    "densenet16": DenseNet(stem=64, growth=32, blocks=(4, 4, 4), pool=True),
    "preresnet6": PreResNet(stages=((16, 2), (32, 2))),
    "preresnet11": PreResNet(stages=((64, 3), (96, 3), (128, 3)), pool=True),
    "mobilenet8": MobileNet(stem=32, blocks=((64, 1), (64, 2), (128, 1))),
    "mobilenet20": MobileNet(stem=64, blocks=((64, 1), (128, 2), (128, 1), (256, 2), *((256, 1),) * 5)),
    "reactnet8": ResNet(stages=((16, 1), (32, 1), (64, 1)), downsample="A", shortcuts="reactnet"),
    "reactnet20": ResNet(stages=((32, 3), (64, 3), (128, 3)), downsample="A", shortcuts="reactnet"),
    "resnet8": ResNet(stages=((16, 1), (32, 1), (64, 1)), downsample="A"),
    "resnet18": ResNet(stages=((64, 2), (128, 2), (256, 2), (512, 2)), downsample="B"),
    "resnet20": ResNet(stages=((16, 3), (32, 3), (64, 3)), downsample="A"),
    "resnet34": ResNet(stages=((64, 3), (128, 4), (256, 6), (512, 3)), downsample="B"),
}


def architecture(
    network: str, *, width: int | None = None, depth: int | None = None, options: Sequence[str] = ()
) -> Structure:
    """The architecture called `network`.

    `width` and `depth` of the hidden layers may be chosen for `mlp` only; `options`, such as `("channels=50",)`, are
    those of the network's kind, such as `chain.ChainOptions` or `resnet.ResNetOptions`.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known ones are {', '.join(NETWORKS)}")
    what = f"network {network!r}"
    known = NETWORKS[network].with_options(options, what=what)
    if width is None and depth is None:
        return known
    widths = NETWORKS[network].widths
    if network != "mlp":
        raise ValueError(f"{what} has fixed widths {widths}; choose a width or depth with 'mlp'")
    width, depth = widths[0] if width is None else width, len(widths) if depth is None else depth
    for name, value in (("width", width), ("depth", depth)):
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1")
    return Architecture(widths=(width,) * depth).with_options(options, what=what)


def build_network(
    architecture: Structure,
    *,
    shape: Sequence[int],
    lo: int,
    hi: int,
    classes: int,
    input_bits: int | None = None,
    method: Method = Bnn(),  # noqa: B008 it is frozen
    real: bool = False,
    before: Callable[[nn.Module], None] = lambda network: None,
) -> nn.Module:
    """The network of a structure: its layers, behind a threshold where the input is cut to one bit.

    It takes the raw integers of the input as float32, (N, *shape), and gives (N, classes).

    Parameters
    ----------
    architecture : Structure
    shape : sequence of int
        Of one input, such as (28, 28, 1).
    lo, hi : int
        The least and the greatest value of an input element.
    classes : int
    input_bits : 1 or 8, optional
        1 cuts the input in the middle of its range; 8 feeds it as it is. Default: the architecture's.
    method : Method
        Makes the layers, and what stands between batch norm and the next layer under the name `sign`.
    real : bool
        Leave real numbers what they are, where the network has any.
    before : callable
        Is called with the network before its real numbers become fixed point.
    """
    input_bits = architecture.input_bits if input_bits is None else input_bits
    if input_bits not in (1, 8):
        raise ValueError(f"input_bits={input_bits} must be 1 or 8")
    binary = input_bits == 1
    first = {"binarise": InputThreshold((lo + hi) / 2)} if binary else {}
    layers = architecture.layers(shape=shape, classes=classes, method=method, binary=binary)
    network = nn.Sequential(OrderedDict(first | layers))
    before(network)
    numbers = None if real else architecture.fixed_point(method)
    return network if numbers is None else in_fixed_point(network, numbers)

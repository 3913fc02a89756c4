"""How many multiplications with additions (MACs) a low-light network takes, the binary ones by themselves."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnnhw.model.layers.layers import BinaryConv2d
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d

from .kinds import Network, Shape, network_of
from .shape import BLOCK
from .unet import AbcLsid

__all__ = ["Macs", "macs_of"]

Convolution = nn.Conv2d | nn.ConvTranspose2d | BinaryConv2d


@dataclass(frozen=True, kw_only=True)
class Macs:
    """Of convolutions, for each packed pixel. binary: of a weight and an activation of one bit, M*N of them where there
    are so many bases; real: all others."""

    binary: float
    real: float

    def __str__(self) -> str:
        return f"{self.binary:.0f} binary and {self.real:.0f} real MACs a packed pixel"


def macs_of(shape: Shape) -> Macs:
    """The MACs of a network of this shape. Taps beyond the border count, too."""
    found: list[tuple[int, int]] = []
    with torch.device("meta"):  # shapes alone, nothing is computed
        network = network_of(shape)
        for layer in network.modules():
            if isinstance(layer, Convolution):
                layer.register_forward_hook(_counting(found, products_of(network, layer)))
        network(torch.empty(1, shape.filters.channels, 2 * BLOCK, 2 * BLOCK))
    pixels = (2 * BLOCK) ** 2
    binary = sum(count * products for count, products in found)
    real = sum(count for count, products in found if not products)
    return Macs(binary=binary / pixels, real=real / pixels)


def products_of(network: Network, layer: Convolution) -> int:
    """Binary convolutions that stand for a layer's, 0 where it is real."""
    match layer:
        case BinaryConv2d():
            return 1
        case AbcConv2d() | AbcConvTranspose2d():
            assert isinstance(network, AbcLsid)
            return layer.bases * network.shape.activation_bases
        case _:
            return 0


def _counting(found: list[tuple[int, int]], products: int) -> Callable[..., None]:
    """A forward hook that notes a layer's MACs, and how many binary ones stand for each."""

    def hook(layer: Convolution, inputs: tuple[Tensor], output: Tensor) -> None:
        places = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        found.append((layer.weight.numel() * places.shape[-2] * places.shape[-1], products))

    return hook

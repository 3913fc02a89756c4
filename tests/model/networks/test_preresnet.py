"""Residual networks of integers: their sizes, a block beside its formula, and what every method makes of them."""

import pytest
import torch
from torch import Tensor, nn

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.methods import METHODS, method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from tests.branches import shaken


def build(name: str, *options: str, method: str = "bnn", size: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return build_network(
        architecture(name, options=options), shape=(size, size, 1), lo=0, hi=16, classes=10,
        method=method_named(method),
    ).eval()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "size", "convolutions", "features"),
    [
        ("preresnet6", 8, [(1, 16), (16, 16), (16, 16), (16, 16), (16, 32), (16, 32), (32, 32)], 16 * 32),
        (
            "preresnet11",
            32,
            [
                (1, 64),
                (64, 64), (64, 64), (64, 64), (64, 64),
                (64, 96), (64, 96), (96, 96), (96, 96),
                (96, 128), (96, 128), (128, 128), (128, 128),
            ],
            16 * 128,
        ),
    ],
)  # fmt: skip
def test_sizes(name: str, size: int, convolutions: list[tuple[int, int]], features: int):
    network = build(name, size=size)
    layers = [layer for layer in network.modules() if isinstance(layer, BinaryConv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in layers] == convolutions
    (linear,) = (layer for layer in network.modules() if isinstance(layer, BinaryLinear))
    assert linear.in_features == features
    assert network(torch.zeros(2, size, size, 1)).shape == (2, 10)


def test_options():
    chosen = architecture("preresnet6", options=["channels=50", "adds=activations"])
    assert chosen.widths == (8, 16)
    with pytest.raises(ValueError, match=r"^adds=bits of network 'preresnet6' must be one of products, activations$"):
        architecture("preresnet6", options=["adds=bits"])
    with pytest.raises(ValueError, match=r"^network 'preresnet6' has no option 'stem=cifar'; its options are channels"):
        architecture("preresnet6", options=["stem=cifar"])


def sign(x: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0)


def convolved(conv: nn.Module, x: Tensor) -> Tensor:
    """Of images padded with -1, where the kernel reaches beyond them."""
    assert isinstance(conv, BinaryConv2d)
    edge = conv.kernel_size[0] // 2
    padded = nn.functional.pad(x, (edge,) * 4, value=-1.0)
    return nn.functional.conv2d(padded, sign(conv.weight), stride=conv.stride)


@pytest.mark.parametrize("adds", ["products", "activations"])
@pytest.mark.parametrize("layer", ["stage1_layer1", "stage1_layer2", "stage2_layer1"])
def test_a_block(layer: str, adds: str):
    network = shaken(build("preresnet6", f"adds={adds}"))
    block, x = network.get_submodule(layer), torch.randn(2, 16, 8, 8).mul(20).round()
    a = x
    if layer == "stage1_layer1":
        a = x = sign(x)
        assert block.before is None
    else:
        a = sign(block.get_submodule("before.norm")(x))

    def branch(name: str) -> Tensor:
        if adds == "products":
            return convolved(block.get_submodule(name), a)
        part = block.get_submodule(name)
        return sign(part.get_submodule("norm")(convolved(part.get_submodule("conv"), a)))

    expected = branch("body") + (x if layer == "stage1_layer2" else branch("shortcut"))
    assert expected.shape[2] == (4 if layer == "stage2_layer1" else 8)
    assert torch.equal(block(x), expected)


@pytest.mark.parametrize("adds", ["products", "activations"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_builds(method: str, adds: str):
    network = build("preresnet6", "channels=25", f"adds={adds}", method=method, size=7)
    assert network(torch.zeros(2, 7, 7, 1)).shape == (2, 10)

"""Densely connected networks: their sizes, which layers read which, and what every method makes of them."""

import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.methods import METHODS, method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.networks.densenet import Beside


def build(name: str, *options: str, method: str = "bnn", size: int = 8, channels: int = 1) -> nn.Module:
    torch.manual_seed(0)
    return build_network(
        architecture(name, options=options), shape=(size, size, channels), lo=0, hi=255, classes=10,
        method=method_named(method),
    ).eval()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "size", "convolutions", "features"),
    [
        ("densenet7", 8, [(1, 16), (16, 16), (32, 16), (48, 24), (24, 16), (40, 16)], 16 * 56),
        ("densenet7", 28, [(1, 16), (16, 16), (32, 16), (48, 24), (24, 16), (40, 16)], 14 * 14 * 56),
        (
            "densenet16",
            32,
            [
                (1, 64), (64, 32), (96, 32), (128, 32), (160, 32),
                (192, 96), (96, 32), (128, 32), (160, 32), (192, 32),
                (224, 112), (112, 32), (144, 32), (176, 32), (208, 32),
            ],
            16 * 240,
        ),
    ],
)  # fmt: skip
def test_sizes(name: str, size: int, convolutions: list[tuple[int, int]], features: int):
    network = build(name, size=size)
    layers = [layer for layer in network.modules() if isinstance(layer, BinaryConv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in layers] == convolutions
    (linear,) = (layer for layer in network.modules() if isinstance(layer, BinaryLinear))
    assert linear.in_features == features
    assert architecture(name).widths[-1] == layers[-1].in_channels + layers[-1].out_channels
    assert network(torch.zeros(2, size, size, 1)).shape == (2, 10)


def test_a_share_of_the_channels():
    assert architecture("densenet7", options=["channels=50"]).widths == (24, 28)
    assert architecture("densenet7", options=["channels=1"]).widths == (3, 3)
    with pytest.raises(ValueError, match=r"^channels=0 must lie between 1 and 400 percent$"):
        architecture("densenet16", options=["channels=0"])


def test_channels_stand_beside_those_that_made_them():
    body = build("densenet7").get_submodule("block1_layer1.body")
    x = torch.randn(2, 16, 8, 8).sign()
    assert torch.equal(Beside(body).eval()(x), torch.cat([x, body(x)], 1))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_builds(method: str):
    network = build("densenet7", "channels=25", method=method)
    assert network(torch.zeros(2, 8, 8, 1)).shape == (2, 10)
    convolutions = [layer for name, layer in network.named_modules() if name.endswith(("conv", "conv.layer"))]
    assert all(isinstance(layer, BinaryConv2d | Requantised) for layer in convolutions)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((64,), r"^networks of convolutions take images \(H, W, C\), not \(64,\)$"),
        ((1, 8, 1), r"^images of 1x8 are too small: nothing is left of them behind transition1; choose a network with"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        build_network(architecture("densenet7"), shape=shape, lo=0, hi=1, classes=2)

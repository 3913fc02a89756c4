"""Networks of depthwise and pointwise convolutions: their sizes, and one in fixed point from torch to the RTL."""

from pathlib import Path

import numpy as np
import pytest
import torch

import bnnhw
from bnnhw.model import BinaryConv2d
from bnnhw.model.export import save
from bnnhw.model.layers.shifts import RPReLU, Shift
from bnnhw.model.methods import METHODS, method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.networks.mobilenet import MobileNet, MobileNetOptions

DIGITS = {"shape": (8, 8, 1), "lo": 0, "hi": 16, "classes": 10}


def test_convolutions() -> None:
    network = build_network(architecture("mobilenet8", options=("channels=50",)), **DIGITS)
    named = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, BinaryConv2d)]
    found = [layer for name, layer in named if name.startswith("block")]
    assert [(layer.out_channels, layer.kernel_size[0], layer.groups, layer.stride[0]) for layer in found] == [
        (16, 3, 16, 1), (32, 1, 1, 1), (32, 3, 32, 2), (32, 1, 1, 1), (32, 3, 32, 1), (64, 1, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shortcuts", ["reactnet", "bireal"])
def test_every_method_builds(method: str, shortcuts: str) -> None:
    structure = architecture("mobilenet20", options=("channels=25", f"shortcuts={shortcuts}", "numbers=real"))
    with torch.device("meta"):
        network = build_network(structure, shape=(32, 32, 3), lo=0, hi=255, classes=10, method=method_named(method))
    assert network(torch.zeros(2, 32, 32, 3, device="meta")).shape == (2, 10)
    bent = sum(isinstance(layer, RPReLU | Shift) for layer in network.modules())
    assert bent == (36 if shortcuts == "reactnet" else 0)


def test_from_torch_to_the_rtl(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = MobileNet(stem=3, blocks=((5, 2),), options=MobileNetOptions(bits=7, weight_bits=2))
    network = build_network(small, **DIGITS)
    images = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))
    network(torch.from_numpy(images).float())  # batch norms and exponents see them
    save(network.eval(), tmp_path / "model.pt", example_input=images, input_range=(0, 16))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps


def test_flat_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^networks of convolutions take images \(H, W, C\), not \(64,\)$"):
        build_network(architecture("mobilenet8"), shape=(64,), lo=0, hi=1, classes=2)

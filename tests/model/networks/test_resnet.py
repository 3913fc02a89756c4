"""Residual networks: sizes of the published ones, and both kinds of blocks against their formulas."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.model import BinaryConv2d
from bnnhw.model.errors import ExportError
from bnnhw.model.export import save
from bnnhw.model.layers.shortcuts import SubsampleAndPad
from bnnhw.model.methods import METHODS, method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.networks.residual import Residual


def build(
    name: str, *options: str, method: str = "bnn", size: int = 32, classes: int = 10, real: bool = True
) -> nn.Module:
    """Of real numbers: `fixed_point.conversion` leaves the blocks what they are."""
    with torch.device("meta"):
        return build_network(
            architecture(name, options=options), shape=(size, size, 3), lo=0, hi=255, classes=classes,
            method=method_named(method), real=real,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "convolutions", "parameters"),
    [
        ("resnet8", 6, 74898),
        ("resnet18", 16, 11.17e6),
        ("resnet20", 18, 0.27e6),
        ("resnet34", 32, 21.28e6),
        ("reactnet8", 6, 76266),
        ("reactnet20", 18, 1.08e6),
    ],
)
def test_sizes_are_those_of_the_papers(name: str, convolutions: int, parameters: float) -> None:
    network = build(name)
    assert sum(isinstance(layer, BinaryConv2d) for layer in network.modules()) == convolutions
    assert sum(tensor.numel() for tensor in network.parameters()) == pytest.approx(parameters, rel=0.01)
    assert network(torch.zeros(2, 32, 32, 3, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shortcuts", ["plain", "bireal"])
def test_every_method_builds_and_every_block_halves_alike(method: str, shortcuts: str) -> None:
    for downsample in ("A", "B"):
        network = build(
            "resnet18", f"shortcuts={shortcuts}", f"downsample={downsample}", method=method, size=37, real=False
        )
        assert network(torch.zeros(2, 37, 37, 3, device="meta")).shape == (2, 10)


@pytest.mark.parametrize(
    ("size", "stem", "side"), [(32, None, 32), (224, None, 56), (64, "imagenet", 16), (224, "cifar", 224)]
)
def test_stems(size: int, stem: str | None, side: int) -> None:
    network = build("resnet18", *([f"stem={stem}"] if stem else []), size=size)
    front = nn.Sequential(*list(network.children())[:2])
    assert front(torch.zeros(1, size, size, 3, device="meta")).shape == (1, 64, side, side)


@pytest.mark.parametrize(("method", "residuals"), [("bnn", 9), ("bireal", 18)])
def test_bi_real_has_a_shortcut_for_each_convolution(method: str, residuals: int) -> None:
    network = build("resnet20", method=method)
    assert sum(isinstance(layer, Residual) for layer in network.modules()) == residuals


def scrambled(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for name, tensor in network.to_empty(device="cpu").state_dict().items():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2) if "var" in name else nn.init.normal_(tensor)
    return network.eval()


def sign(x: Tensor) -> Tensor:
    return torch.where(x >= 0, 1.0, -1.0)


def layer(block: nn.Module, *path: str) -> Any:
    return block.get_submodule(".".join(path))


SQUASHES = [("hardtanh", 1.0), ("none", torch.inf)]


@pytest.mark.parametrize(("squash", "limit"), SQUASHES)
def test_a_plain_block(squash: str, limit: float) -> None:
    block = scrambled(build("resnet20", f"squash={squash}").get_submodule("stage2_block1"))
    x = torch.randn(2, 16, 8, 8)
    part = partial(layer, block, "body")
    y = part("norm1")(nn.functional.conv2d(sign(x), sign(part("conv1").weight), stride=2, padding=1))
    y = part("norm2")(nn.functional.conv2d(sign(y), sign(part("conv2").weight), padding=1))
    around = torch.cat([torch.zeros(2, 8, 4, 4), x[:, :, ::2, ::2], torch.zeros(2, 8, 4, 4)], 1)
    torch.testing.assert_close(block(x), (y + around).clamp(-limit, limit))


@pytest.mark.parametrize("method", ["bnn", "bireal"])
@pytest.mark.parametrize(("squash", "limit"), SQUASHES)
def test_a_bi_real_block(method: str, squash: str, limit: float) -> None:
    network = build("resnet18", "shortcuts=bireal", f"squash={squash}", method=method)
    block = scrambled(network.get_submodule("stage2_block1"))
    x = torch.randn(2, 64, 8, 8)
    y = x
    for n in range(2):
        part = partial(layer, block, f"{n}.body")
        weight = part("conv").weight
        scale = weight.abs().mean((1, 2, 3), keepdim=True) if method == "bireal" else 1
        conv = nn.functional.conv2d(sign(y), scale * sign(weight), stride=2 - n, padding=1)
        if n == 0:
            shortcut = partial(layer, block, "0.shortcut")
            y = shortcut("norm")(nn.functional.conv2d(nn.functional.avg_pool2d(y, 2), shortcut("conv").weight))
        y = (part("norm")(conv) + y).clamp(-limit, limit)
    torch.testing.assert_close(block(x), y, atol=1e-4, rtol=1e-4)


def test_a_block_of_reactnet() -> None:
    block = scrambled(build("reactnet8").get_submodule("stage2_block1"))
    x = torch.randn(2, 16, 8, 8)
    y, around = x, torch.cat([torch.zeros(2, 8, 4, 4), x[:, :, ::2, ::2], torch.zeros(2, 8, 4, 4)], 1)
    for n in range(2):
        part, bent = partial(layer, block, f"{n}.body"), layer(block, f"{n}.squash")
        knee, slope, bias = (each.view(-1, 1, 1) for each in (bent.knee, bent.slope, bent.bias))
        signs = sign(y + part("shift").bias.view(-1, 1, 1))
        conv = nn.functional.conv2d(signs, sign(part("conv").weight), stride=2 - n, padding=1)
        d = part("norm")(conv) + (y if n else around) - knee
        y = torch.where(d > 0, d, d * slope) + bias
    torch.testing.assert_close(block(x), y)


def test_half_as_wide() -> None:
    network = build("resnet18", "channels=50")
    widths = [layer.out_channels for layer in network.modules() if isinstance(layer, BinaryConv2d)]
    assert widths == [32] * 4 + [64] * 4 + [128] * 4 + [256] * 4
    assert network(torch.zeros(2, 32, 32, 3, device="meta")).shape == (2, 10)


def test_averages_of_odd_images_are_refused_by_name(tmp_path: Path) -> None:
    network = build_network(
        architecture("resnet8", options=("downsample=B", "shortcuts=bireal", "channels=10")), shape=(7, 7, 1), lo=0,
        hi=16, classes=2,
    )  # fmt: skip
    with pytest.raises(
        ExportError, match=r"^layer 'stage2_block1.0.shortcut.pool' has ceil_mode=True; only ceil_mode="
    ):
        save(network, tmp_path / "model.pt", example_input=np.zeros((4, 7, 7, 1), int), input_range=(0, 16))


def test_the_shortcut_a_takes_odd_numbers_of_channels() -> None:
    y = SubsampleAndPad(stride=2, padding=3)(torch.ones(1, 2, 3, 3))
    assert y.shape == (1, 5, 2, 2)
    assert y[0, :, 0, 0].tolist() == [0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("resnet20", "downsample=C", "^downsample=C of network 'resnet20' must be one of A, B$"),
        (
            "resnet20",
            "depth=20",
            r"^network 'resnet20' has no option 'depth=20'; its options are channels=.*; stem=cifar\|imagenet ",
        ),
        (
            "cnv",
            "stem=cifar",
            "^network 'cnv' has no option 'stem=cifar'; its options are channels=a whole number ",
        ),
    ],
)
def test_what_does_not_exist_is_refused(name: str, option: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        architecture(name, options=(option,))


def test_flat_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^residual networks take images \(H, W, C\), not \(64,\)$"):
        build_network(architecture("resnet20"), shape=(64,), lo=0, hi=1, classes=2)

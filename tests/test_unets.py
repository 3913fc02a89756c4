"""Small U-Nets of plain layers, torch to RTL: poolings, upsamplings, skips; bits, and values of fixed point."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler import Graph, evaluate, integerize, load
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.model import BinaryConv2d, BinaryConvTranspose2d, Sign, ToChannelsFirst
from bnnhw.model.export.save_model import save
from bnnhw.model.fixed_point.calibration import calibrate
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point

from .branches import layer, shaken
from .core_rtl import check_rtl, folded
from .test_convolutions import images_of

SHAPE = (4, 8, 2)
FRAMES = 4


class UNet(nn.Module):
    """Down by a pooling, up by `up`, and a convolution of both sides; its 3 channels are sums where others are bits."""

    def __init__(self, convolution: Callable[..., nn.Module], up: nn.Module, width: int = 4):
        super().__init__()
        self.first = nn.Sequential(ToChannelsFirst(), convolution(SHAPE[2], width))
        self.pool = nn.MaxPool2d(2)
        self.low, self.up = convolution(width, width), up
        self.join, self.last = convolution(2 * width, width), convolution(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(self.join(torch.cat([self.up(self.low(self.pool(x))), x], dim=1)))


def binary(inputs: int, outputs: int) -> nn.Module:
    convolution = BinaryConv2d(inputs, outputs, 3, padding=1)
    return convolution if outputs == 3 else layer(convolution, outputs)


def real(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())


def in_bits(up: nn.Module) -> nn.Module:
    return shaken(UNet(binary, up), seed=1)


def in_numbers(up: nn.Module) -> nn.Module:
    torch.manual_seed(2)
    network = in_fixed_point(UNet(real, up, width=2), FixedPointOptions(bits=10, weight_bits=2))
    calibrate(network, images_of(SHAPE).astype(np.int64))
    return network.eval()


UNETS: dict[str, Callable[[], nn.Module]] = {
    "nearest": lambda: in_bits(nn.Upsample(scale_factor=2)),
    "bilinear, signs": lambda: in_bits(
        nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.BatchNorm2d(4), Sign())
    ),
    "bilinear, convolved": lambda: in_bits(nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), binary(4, 4))),
    "transposed, 2x2": lambda: in_bits(
        nn.Sequential(BinaryConvTranspose2d(4, 4, 2, stride=2), nn.BatchNorm2d(4), Sign())
    ),
    "transposed, 4x4": lambda: in_bits(
        nn.Sequential(BinaryConvTranspose2d(4, 4, 4, stride=2, padding=1, scale=True, bias=True), Sign())
    ),
    "nearest, fixed point": lambda: in_numbers(nn.Sequential(nn.Upsample(scale_factor=2), nn.BatchNorm2d(2))),
    "bilinear, fixed point": lambda: in_numbers(
        nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.BatchNorm2d(2))
    ),
    "transposed, fixed point": lambda: in_numbers(
        nn.Sequential(nn.ConvTranspose2d(2, 2, 2, stride=2), nn.BatchNorm2d(2))
    ),
}


def integers(name: str, folder: Path) -> Graph:
    """The integer graph, equal to torch, to the trained graph and to packed bits."""
    module, images = UNETS[name](), images_of(SHAPE)
    save(module, folder / "model.pt", example_input=images, input_range=(0, 255))
    with torch.inference_mode():
        expected = module(torch.from_numpy(images).float()).movedim(1, -1).numpy()
    assert len(np.unique(expected)) > 2
    trained = load(folder / "model.pt")
    (traced,) = evaluate(trained, {"input": images}).values()
    np.testing.assert_array_equal(traced, expected)
    graph = integerize(trained, check=True)
    (found,) = evaluate(graph, {"input": images}).values()
    levels = np.unique(found)
    np.testing.assert_array_equal(np.unique(expected)[np.searchsorted(levels, found)], expected)
    np.testing.assert_array_equal(PackedKernel(graph, threads=1)(images), found)
    return graph


@pytest.mark.parametrize(
    ("name", "hardwired"),
    [
        pytest.param(name, hardwired, marks=[pytest.mark.slow] * (hardwired != number % 2))
        for number, name in enumerate(UNETS)
        for hardwired in (False, True)
    ],
)
def test_from_torch_to_the_rtl(name: str, hardwired: bool, tmp_path: Path):
    """In turn folded and hardwired; the other one is slow."""
    graph, images = integers(name, tmp_path), images_of(SHAPE, FRAMES)
    chosen = folded(graph, most=4 if hardwired else 2, hardwired=hardwired)
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_rtl(chosen, graph, images, stalls=stalls)

"""Leaking rectifiers: in thresholds, and of values of fixed point, from torch to the RTL."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bnnhw
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir import ops
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.errors import ExportError
from bnnhw.model.export import save
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.layers.requantised_prelu import RequantisedPReLU
from bnnhw.model.layers.shifts import RPReLU, Shift
from tests.core_rtl import check_rtl, folded

SHAPE = (4, 4, 1)
IMAGES = np.random.default_rng(0).integers(0, 17, (40, *SHAPE))
CHANNELS = 3


Layer = TypeVar("Layer", bound=nn.Module)


def rprelu() -> RPReLU:
    return drawn(RPReLU(CHANNELS))


def drawn(layer: Layer) -> Layer:
    """With parameters of every channel's own, slopes at least 0."""
    torch.manual_seed(1)
    for name, parameter in layer.named_parameters():
        parameter.data = torch.rand(CHANNELS) if name in ("slope", "weight") else torch.randn(CHANNELS)
    return layer


ACTIVATIONS = {
    "leaky relu": lambda: nn.LeakyReLU(0.125),
    "prelu": lambda: drawn(nn.PReLU(CHANNELS)),
    "rprelu": rprelu,
    "relu": nn.ReLU,
    "hard tanh": nn.Hardtanh,
}


class Around(nn.Module):
    """activation(norm(conv(sign(x + b))) + x), and x behind it again: a sum that both read."""

    def __init__(self, activation: nn.Module):
        super().__init__()
        self.first = nn.Sequential(ToChannelsFirst(), BinaryConv2d(1, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS))
        self.shift, self.sign = drawn(Shift(CHANNELS)), Sign()
        self.conv, self.norm = BinaryConv2d(CHANNELS, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS)
        self.activation = activation
        self.last = nn.Sequential(Sign(), nn.Flatten(), BinaryLinear(16 * CHANNELS, 5), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = self.activation(self.norm(self.conv(self.sign(self.shift(x)))) + x)
        return self.last(y + x)


def seen(network: nn.Module) -> nn.Module:
    """In eval mode, after its norms and exponents have seen images."""
    torch.manual_seed(2)
    network(torch.from_numpy(IMAGES).float())
    return network.eval()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_level_is_equal(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = seen(in_fixed_point(Around(ACTIVATIONS[name]()), FixedPointOptions(bits=6)))
    bends = [isinstance(layer, RequantisedPReLU) for layer in network.modules()]
    assert sum(bends) == (name not in ("relu", "hard tanh"))
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    through = "rtl" if name == "rprelu" else "packed"  # operators of one parameter and of none have tests enough
    verified = bnnhw.verify(tmp_path / "model.pt", through=through, samples=30)
    assert len(verified.steps) == (4 if name == "rprelu" else 3)
    assert verified.is_equal, verified.steps


@pytest.mark.parametrize(("most", "stalls"), [(1, (0.0, 0.0)), (3, (0.3, 0.3))])
def test_in_other_foldings(most: int, stalls: tuple[float, float], tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = seen(in_fixed_point(Around(rprelu()), FixedPointOptions(bits=6)))
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    graph = integerize(load(tmp_path / "model.pt"))
    check_rtl(folded(graph, most=most, hardwired=False), graph, IMAGES[:4], stalls=stalls)


def between(activation: nn.Module) -> nn.Module:
    return nn.Sequential(
        ToChannelsFirst(), BinaryConv2d(1, CHANNELS, 3), nn.BatchNorm2d(CHANNELS), activation, Shift(CHANNELS), Sign(),
        nn.Flatten(), BinaryLinear(4 * CHANNELS, 5),
    )  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("convert", [lambda network: network, in_fixed_point])
def test_between_norm_and_sign_it_goes_into_thresholds(name: str, convert, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = seen(convert(between(ACTIVATIONS[name]())))
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    graph = integerize(load(tmp_path / "model.pt"))
    kinds = [type(node.op) for node in graph.nodes]
    assert kinds[:3] == [ops.Conv, ops.Threshold, ops.Flatten]


def test_a_falling_slope_has_no_thresholds(tmp_path: Path) -> None:
    activation = drawn(nn.PReLU(CHANNELS))
    activation.weight.data[1] = -0.25
    with pytest.raises(ExportError, match=r"^layer '3' \(PReLU\): slope must be at least 0 .* 1 has -0.25; clamp"):
        save(seen(between(activation)), tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))


def test_a_falling_slope_of_fixed_point_is_what_it_is() -> None:
    activation = drawn(nn.PReLU(CHANNELS))
    activation.weight.data = torch.tensor([-0.25, 0.25, 3.0])
    layer = RequantisedPReLU(activation, FixedPoint(8, 3)).eval()
    assert layer(torch.tensor([[-2.0, -2, -2], [2, 2, 2]])).tolist() == [[0.5, -0.5, -6], [2, 2, 2]]


def test_in_eval_mode_it_is_off_by_one_step_at_most() -> None:
    layer = RequantisedPReLU(rprelu(), FixedPoint(10, 5))
    x = torch.randint(-200, 200, (500, CHANNELS)) / 32
    trained, hardware = layer(x), layer.eval()(x)
    assert (trained - hardware).abs().max() <= 1 / 32
    assert (trained != hardware).float().mean() < 0.5  # knees and offsets are rounded


def test_gradients_pass_but_where_values_are_clipped() -> None:
    layer = RequantisedPReLU(nn.PReLU(1, init=0.5), FixedPoint(4, 0))
    x = torch.tensor([[-3.0], [3.0], [20.0]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0.5, 1, 0]
    weight = layer.leaking.weight
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    assert weight.grad.tolist() == [-3]


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^activation must be one of LeakyReLU, PReLU, RPReLU, not ReLU$"):
        RequantisedPReLU(nn.ReLU(), FixedPoint())
    steep = RequantisedPReLU(nn.LeakyReLU(2.0**17), FixedPoint())
    with pytest.raises(ExportError, match=r"^has slopes up to 1.31e\+05, knees or offsets that are no sound numbers$"):
        steep.requantise()
    network = nn.Sequential(ToChannelsFirst(), BinaryConv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), Shift(12))
    with pytest.raises(ExportError, match=r"^layer '4' shifts values of .* others than signs read; use RPReLU$"):
        in_fixed_point(network)

"""A network of real numbers in fixed point: what stands where, that it trains, and that what is saved is it."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler import load
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import evaluate
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, ToChannelsFirst
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.model.fixed_point.calibration import calibrate
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.fixed_point.integer_layer import integer_layer
from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.layers.integer_weights import IntegerWeights
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.layers.weights import SignWeights
from bnnhw.model.methods.real import RealWeights

from .case import OwnResidual, images


def test_each_value_of_a_network_of_its_users_own() -> None:
    torch.manual_seed(0)
    network = OwnResidual()
    fixed = in_fixed_point(network, FixedPointOptions(bits=9, weight_bits=5))
    found = {name: module for name, module in fixed.named_modules() if isinstance(module, FixedPoint)}
    assert list(found) == [
        "stem.fixed", "first.fixed", "second.fixed", "scores.fixed", "add_fixed", "add_2_fixed", "pool_fixed",
    ]  # fmt: skip
    limits = {name: (module.bits, module.least, module.most) for name, module in found.items()}
    assert limits["stem.fixed"] == (9, -4, 3)
    assert limits["add_2_fixed"] == (9, 0, math.inf)
    assert limits["scores.fixed"] == (16, -math.inf, math.inf)
    of_adds = {module.exponent for name, module in found.items() if name not in ("scores.fixed", "pool_fixed")}
    assert len(of_adds) == 1
    assert found["pool_fixed"].exponent not in of_adds
    for name in ("stem", "scores"):
        layer = fixed.get_submodule(name)
        assert isinstance(layer, Requantised)
        assert layer.layer is not None
        assert isinstance(layer.layer.quantiser, IntegerWeights)
        assert layer.layer.weight is network.get_parameter(f"{name}.weight")
    assert isinstance(fixed.get_submodule("first.norm"), nn.BatchNorm2d)
    assert {id(each) for each in fixed.parameters()} == {id(each) for each in network.parameters()}


def train(network: nn.Module, steps: int = 30) -> list[float]:
    """The losses of telling dark pictures from bright ones and from others."""
    torch.manual_seed(1)
    x = images(96)
    labels = x.float().mean((1, 2, 3)).argsort().argsort() // 32
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=0.02), []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(network(x.float()), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("weight_bits", [8, 1])
@pytest.mark.parametrize("calibrated", [False, True])
def test_it_trains_and_what_is_saved_is_it(tmp_path: Path, weight_bits: int, calibrated: bool) -> None:
    """The integers are torch's values, bit for bit."""
    torch.manual_seed(0)
    fixed = in_fixed_point(OwnResidual(), FixedPointOptions(bits=10, weight_bits=weight_bits))
    losses = train(fixed)
    assert losses[-1] < 0.7 * losses[0]
    if calibrated:
        calibrate(fixed, images())
    graph = save(fixed, tmp_path / "own.pt", example_input=images(20))
    integers = integerize(graph, output="scores")
    (scores,) = evaluate(integers, {"input": images(20).numpy()}).values()
    expected = fixed.eval()(images(20).float()) * 2.0 ** int(fixed.get_buffer("scores.fixed.exponent.value"))
    assert scores.tolist() == expected.tolist()


class Chain(nn.Module):
    """Layers one after the other, and a function of what is before and behind the last one."""

    def __init__(self, *layers: nn.Module, join: Any):
        super().__init__()
        self.body = nn.Sequential(*layers[:-1])
        self.last = layers[-1]
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return self.join(y, self.last(y))


FREE = [("body.0.fixed", -math.inf, math.inf), ("body.1.fixed", -math.inf, math.inf)]


def linear() -> nn.Module:
    return nn.Linear(4, 4)


@pytest.mark.parametrize(
    ("network", "limits"),
    [
        (nn.Sequential(linear(), nn.ReLU6(), linear()), [("0.fixed", 0, 6)]),
        (nn.Sequential(linear(), nn.Hardtanh(-2, 2), nn.ReLU(), linear()), [("0.fixed", 0, 2)]),
        (nn.Sequential(linear(), nn.ReLU(), nn.Hardtanh(-2, 2), linear()), [("0.fixed", 0, 2)]),
        (Chain(linear(), linear(), linear(), join=lambda x, y: torch.relu(y)), [*FREE, ("last.fixed", 0, math.inf)]),
        (
            Chain(linear(), linear(), join=lambda x, y: x.add(y).relu()),
            [*FREE[:1], ("last.fixed", -math.inf, math.inf)],
        ),
        (
            Chain(linear(), nn.Hardtanh(), join=lambda x, y: x + y),  # x is read twice, and clipped once
            [*FREE[:1], ("body.0_fixed", -1, 1)],
        ),
        (nn.Sequential(linear(), nn.BatchNorm1d(4), Sign(), BinaryLinear(4, 2)), []),  # a threshold
        (nn.Sequential(linear(), nn.ReLU(), nn.MaxPool1d(1), Sign(), BinaryLinear(4, 2)), [("0.fixed", 0, math.inf)]),
        (nn.Sequential(linear(), nn.Dropout(), nn.Identity(), linear()), [("0.fixed", -math.inf, math.inf)]),
    ],
)
def test_clippings_become_limits(network: nn.Module, limits: list[Any]) -> None:
    fixed = in_fixed_point(network)
    found = [
        (name, module.least, module.most)
        for name, module in fixed.named_modules()
        if isinstance(module, FixedPoint) and module.bits == 12 and "add" not in name
    ]
    assert found == limits
    assert not any(isinstance(module, nn.Hardtanh) for module in fixed.modules())


def pooled(*behind: nn.Module, **options: Any) -> nn.Module:
    """A binary layer whose sums are pooled before their batch norm, and what stands behind that."""
    layers = (BinaryConv2d(2, 4, 3, **options), nn.MaxPool2d(2), nn.BatchNorm2d(4), *behind)
    return in_fixed_point(nn.Sequential(*layers, BinaryConv2d(4, 2, 1)))


def test_a_pooling_before_a_batch_norm_is_of_the_sums() -> None:
    layer = pooled(nn.ReLU()).get_submodule("0")
    assert isinstance(layer, Requantised)
    assert isinstance(layer.pool, nn.MaxPool2d)
    assert isinstance(layer.norm, nn.BatchNorm2d)
    assert not any("fixed" in name for name, _ in pooled(Sign()).named_modules() if name.startswith("0"))
    learnt = pooled(nn.ReLU(), scale=True)  # its factors may become negative
    assert [name for name, module in learnt.named_modules() if isinstance(module, Requantised)] == ["0", "2", "4"]


def test_functions_are_rounded_by_the_name_of_who_calls_them() -> None:
    network = nn.Sequential(linear(), Chain(nn.Identity(), linear(), join=lambda x, y: x + y), linear())
    assert isinstance(in_fixed_point(network).get_submodule("1.add_fixed"), FixedPoint)


def test_values_side_by_side_share_an_exponent() -> None:
    fixed = in_fixed_point(
        nn.Sequential(linear(), Chain(nn.Identity(), linear(), join=lambda x, y: torch.cat([x, y], 1)), nn.Linear(8, 2))
    )
    assert fixed.get_submodule("0.fixed.exponent") is fixed.get_submodule("1.last.fixed.exponent")


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_what_lies_between_values_is_rounded(mode: str) -> None:
    """A bilinear upsampling, with an exponent of its own; the nearest value is what it was."""
    layers = nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(2, 2, 1)
    fixed = in_fixed_point(nn.Sequential(*layers))
    found = [name for name, module in fixed.named_modules() if isinstance(module, FixedPoint)]
    assert found == (["0.fixed", "2.fixed", "1_fixed"] if mode == "bilinear" else ["0.fixed", "2.fixed"])
    assert len({id(fixed.get_submodule(f"{name}.exponent")) for name in found}) == len(found)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_signs_threshold_what_lies_between_values(mode: str) -> None:
    """And sums themselves before a nearest upsampling, where nothing is rounded."""
    fixed = in_fixed_point(nn.Sequential(nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2, mode=mode), Sign()))
    assert any(isinstance(module, FixedPoint) for module in fixed.modules()) == (mode == "bilinear")


class Own(nn.Module):
    """x and what a layer makes of it, added."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            Own(linear()),
            r"^layer 'add' adds 'x', which is no value of fixed point, to one that is; put a FixedPoint behind",
        ),
        (
            OwnResidual(first=BinaryConv2d(4, 4, 3, padding=1, activation=Sign(), scale=nn.Identity())),
            r"^layer 'first' scales each pixel by its own factor; fixed point takes one a channel$",
        ),
        (
            OwnResidual(second=BinaryConv2d(4, 4, 3, padding=1, weights=RealWeights())),
            r"^layer 'second' has weights of 32 bits and 1 binary bases; fixed point takes signs and integers, such as",
        ),
        (
            OwnResidual(second=nn.Conv2d(4, 4, 3, padding="same")),
            r"^layer 'second' pads by 'same' with 'zeros'; fixed point takes numbers and 'zeros'$",
        ),
        (OwnResidual(second=nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")), r"pads by \(1, 1\) with 'reflect'"),
        (
            OwnResidual(second=nn.ConvTranspose2d(4, 4, 3, padding=1, groups=2)),
            r"^layer 'second' has groups=2, dilation=\(1, 1\) and stride=\(1, 1\); fixed point takes transposed conv",
        ),
    ],
)
def test_what_has_no_place_is_refused_by_name(network: nn.Module, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        in_fixed_point(network)


def test_weights_of_one_bit_are_signs_with_a_factor() -> None:
    fixed = in_fixed_point(nn.Sequential(linear(), linear()), FixedPointOptions(weight_bits=1))
    layer = fixed.get_submodule("0.layer")
    assert isinstance(layer, BinaryLinear)
    assert isinstance(layer.quantiser, SignWeights)
    assert layer.quantised().scale is not None


@pytest.mark.parametrize(("weight_bits", "bits"), [(8, 10), (4, 11), (1, 11)])
def test_values_have_as_few_bits_as_their_readers_sums_have_room_for(weight_bits: int, bits: int) -> None:
    """128 codes of 11 bits add up to less than 2^18; what is behind all has them all."""
    network = nn.Sequential(nn.Conv2d(3, 128, 1), nn.Conv2d(128, 2, 1), nn.Conv2d(2, 2, 1))
    fixed = in_fixed_point(network, FixedPointOptions(weight_bits=weight_bits))
    found = [module.bits for module in fixed.modules() if isinstance(module, FixedPoint)]
    assert found == [bits, 12, 16]


def test_values_before_binary_layers_of_a_networks_own_keep_their_bits() -> None:
    fixed = in_fixed_point(nn.Sequential(nn.Conv2d(3, 128, 1), BinaryConv2d(128, 2, 3), nn.Conv2d(2, 2, 1)))
    assert [module.bits for module in fixed.modules() if isinstance(module, FixedPoint)] == [12, 12, 16]


def test_hardware_refuses_a_norm_of_each_pixel_behind_a_flatten_by_name(tmp_path: Path) -> None:
    """Its line depends on the pixel, and a stream counts channels alone."""
    torch.manual_seed(0)
    network = nn.Sequential(
        ToChannelsFirst(), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(144), nn.Linear(144, 4)
    )
    fixed = in_fixed_point(network)
    for _ in range(3):
        fixed(images().float())
    save(fixed.eval(), tmp_path / "model.pt", example_input=images().numpy(), input_range=(0, 255))
    graph = integerize(load(tmp_path / "model.pt"), output="scores")
    message = (
        r"^node '4': it has factors of 144 channels, and the image that is flattened before it has pixels of 4; put it "
        r"before the Flatten, with 4 channels$"
    )
    with pytest.raises(ScheduleError, match=message):
        lower_network(graph)


def test_a_transposed_convolution_is_the_same_before_it_is_rounded() -> None:
    layer = nn.ConvTranspose2d(3, 5, (3, 2), stride=2, padding=(1, 0), output_padding=1)
    made = integer_layer("up", layer, bits=8)
    assert isinstance(made.quantiser, IntegerWeights)
    made.quantiser.rounds = False
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(made(x), layer(x))

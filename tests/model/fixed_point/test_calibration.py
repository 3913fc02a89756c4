"""Exponents of the least squared error: against every exponent tried, real values meanwhile, and what has none."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bnnhw.model import BinaryLinear
from bnnhw.model.errors import ExportError
from bnnhw.model.fixed_point.calibration import calibrate
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.fixed_point.real_values import real_values, roundings
from bnnhw.model.layers.fixed_point import FixedPoint

from .case import OwnResidual, images


def own(bits: int = 8) -> nn.Module:
    torch.manual_seed(0)
    network = OwnResidual()
    for each in network.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.get_buffer("running_var").uniform_(1, 100)
            each.get_buffer("running_mean").normal_()
    return in_fixed_point(network, FixedPointOptions(bits=bits))


def test_real_values_are_those_of_the_network_before() -> None:
    torch.manual_seed(0)
    network = OwnResidual()
    fixed = in_fixed_point(network)
    fixed.get_submodule("first").eval()
    before = {name: module.training for name, module in fixed.named_modules()}
    x = images(9).float()
    with real_values(fixed):
        torch.testing.assert_close(fixed(x), network.eval()(x))
    assert {name: module.training for name, module in fixed.named_modules()} == before
    assert all(module.rounds for module in roundings(fixed).values())


def test_roundings_are_named_by_their_layers() -> None:
    assert set(roundings(own())) == {
        "stem", "stem, weights", "first", "second", "add", "add_2", "pool", "scores", "scores, weights",
    }  # fmt: skip


def seen(network: nn.Module) -> dict[FixedPoint, Tensor]:
    """The real values that come to each rounding."""
    found: dict[FixedPoint, Tensor] = {}
    hooks = []
    for module in network.modules():
        if isinstance(module, FixedPoint):
            hooks.append(module.register_forward_hook(lambda m, given, y: found.update({m: y.detach()})))
    with real_values(network):
        network(images().float())
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_each_exponent_is_the_best_of_all(bits: int) -> None:
    network = own(bits).eval()
    values = seen(network)
    calibrate(network, images(), batch=20)
    for exponent in {fixed.exponent for fixed in values}:
        errors = []
        chosen = int(exponent)
        for e in range(16):
            exponent.value.fill_(e)
            errors.append(sum(float((f(x) - x).square().sum()) for f, x in values.items() if f.exponent is exponent))
        assert errors.index(min(errors)) == chosen
    assert len({id(fixed.exponent) for fixed in values}) == 3


def test_rare_large_values_are_clipped() -> None:
    """The greatest of 4,096 values alone would leave the others a sixteenth of the steps."""
    network = nn.Sequential(FixedPoint(4))
    x = torch.randint(-7, 8, (64, 64), generator=torch.Generator().manual_seed(0))
    x[0, 0] = 100
    calibrate(network, x)
    assert int(network.get_buffer("0.exponent.value")) == 0
    network.train()(x.float())
    assert float(network.get_buffer("0.exponent.greatest")) == 100


def test_given_exponents_stay() -> None:
    network = nn.Sequential(FixedPoint(8, 5))
    calibrate(network, images(4).flatten(1) % 2)
    assert int(network.get_buffer("0.exponent.value")) == 5


def spoilt(name: str, value: float) -> nn.Module:
    network = own()
    network.get_parameter(name).data.fill_(value)
    return network


def nan_statistics() -> nn.Module:
    network = own()
    network.get_buffer("first.norm.running_mean").fill_(torch.nan)
    return network


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            nan_statistics,
            "^layer 'first' gives values that are infinite or no numbers; its batch norm, or one bef",
        ),
        (
            lambda: spoilt("second.norm.bias", 1000),
            r"^layer '(second|add_2)' has values up to 1\d\d\d, and 8 bits hold 127; give it more bits, or a batch n",
        ),
        (
            lambda: spoilt("second.norm.weight", 1e7),
            r"^layer '(second|add_2)' has values up to .*, and 8 bits hold 127; give it more bits, or a batch norm$",
        ),
    ],
)
def test_what_has_no_exponent_is_refused_by_name(network: Any, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        calibrate(network(), images())


def test_factors_that_do_not_fit_are_refused_by_name() -> None:
    """What is always the same has any factor, until it changes."""
    behind = nn.BatchNorm1d(4)
    behind.get_buffer("running_var").zero_()
    nn.init.constant_(behind.weight, 1000.0)
    network = in_fixed_point(nn.Sequential(nn.Flatten(), BinaryLinear(64, 4), behind, nn.Linear(4, 2)))
    with pytest.raises(ExportError, match=r"^layer '1' multiplies by 3\.16e\+05 of its least values, and 2\^17 is the"):
        calibrate(network, torch.zeros(4, 8, 8))


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^images are none; give a few hundred of those that the network was tra"):
        calibrate(own(), images(0))

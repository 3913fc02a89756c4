import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.methods.rbnn import Rbnn
from bnnhw.model.training.optimizers import OPTIMIZERS, optimizer_named
from bnnhw.model.training.optimizers.base import glorot_factor, parameter_groups


def every_kind() -> nn.Sequential:
    """Real and latent weights, a normalisation, an offset and a rotation's angle."""
    return nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), BinaryLinear(4, 4, weights=Rbnn().weights()))


def test_weight_decay_is_for_real_weights_alone() -> None:
    network = every_kind()
    groups = parameter_groups(network, weight_decay=0.5)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {
        names[id(parameter)]: group["weight_decay"]
        for group in (*groups["binary"], *groups["others"])
        for parameter in group["params"]
    }
    assert found == {"0.weight": 0.5, **dict.fromkeys(set(names.values()) - {"0.weight"}, 0.0)}
    assert [[names[id(p)] for p in group["params"]] for group in groups["binary"]] == [["2.weight"]]


@pytest.mark.parametrize(
    ("layer", "fans"), [(BinaryLinear(100, 50), 150), (BinaryConv2d(8, 16, 3), 9 * 24)], ids=["linear", "conv2d"]
)
def test_glorot_factor(layer: nn.Module, fans: int) -> None:
    assert glorot_factor(layer.get_parameter("weight")) == pytest.approx((fans / 1.5) ** 0.5)


@pytest.mark.parametrize(("name", "power"), [("adam", 1), ("sgd", 2), ("adamax-shift", 1)])
def test_glorot_scales_the_rate_of_binary_weights(name: str, power: int) -> None:
    network = nn.Sequential(BinaryLinear(100, 50), nn.BatchNorm1d(50))
    parts = optimizer_named(name, ["glorot=yes"]).parts(network, learning_rate=1.0, weight_decay=0.0)
    parts.set_learning_rate(0.5)
    rates = [group["lr"] for optimizer in parts.optimizers for group in optimizer.param_groups]
    assert rates == pytest.approx([0.5 * 10**power, 0.5])


def test_weights_of_one_rate_are_moved_together() -> None:
    network = nn.Sequential(BinaryLinear(4, 4), BinaryLinear(4, 4), BinaryLinear(4, 8))
    for power, sizes in ((0, [3]), (1, [2, 1])):
        groups = parameter_groups(network, weight_decay=0.0, glorot_power=power)
        assert [len(group["params"]) for group in groups["binary"]] == sizes


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_goes_on(name: str) -> None:
    """Two steps in one go, and with a state_dict in between, give the same bits."""

    def steps(*, saved: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        network = nn.Sequential(BinaryLinear(4, 3), nn.BatchNorm1d(3))
        parts = optimizer_named(name).parts(network, learning_rate=0.1, weight_decay=0.0)
        for number in range(3):
            parts.zero_grad()
            network(torch.randn(8, 4)).square().sum().backward()
            parts.step()
            if saved and number == 1:
                state = parts.state_dict()
                parts = optimizer_named(name).parts(network, learning_rate=0.1, weight_decay=0.0)
                parts.load_state_dict(state)
        return [parameter.detach() for parameter in network.parameters()]

    for whole, resumed in zip(steps(saved=False), steps(saved=True), strict=True):
        assert torch.equal(whole, resumed)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sdg", (), "unknown optimizer 'sdg'; known ones are adam, sgd, adamax-shift, bop"),
        ("sgd", ("momentum=1",), "momentum=1.0 of optimizer 'sgd' must lie in [0, 1)"),
        ("sgd", ("momentum=nan",), "momentum=nan of optimizer 'sgd' must be a number"),
        ("adam", ("beta=1",), "optimizer 'adam' has no option 'beta=1'; its options are glorot=yes|no (no)"),
        ("bop", ("gamma=2",), "gamma=2.0 of optimizer 'bop' must lie in (0, 1]"),
    ],
)
def test_errors(name: str, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        optimizer_named(name, options)
    assert str(caught.value) == message

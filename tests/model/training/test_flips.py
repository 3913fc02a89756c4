import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.methods.rbnn import Rbnn
from bnnhw.model.methods.xnor import Xnor
from bnnhw.model.training.flips import flip_rates, mean_flip_rate, weight_signs


def test_counts_changed_signs_of_binary_layers_alone() -> None:
    network = nn.Sequential(nn.Linear(2, 2), BinaryLinear(4, 2), nn.Sequential(BinaryConv2d(1, 1, 2)))
    nn.init.ones_(network.get_parameter("1.weight"))
    before = weight_signs(network)
    network.get_parameter("1.weight").data[0] = torch.tensor([-1.0, 0.5, 0.0, -0.01])
    network.get_parameter("0.weight").data.neg_()
    rates = flip_rates(before, weight_signs(network))
    assert rates == {"1": 2 / 8, "2.0": 0.0}
    assert mean_flip_rate(rates, {name: each.numel() for name, each in before.items()}) == 2 / 12


def test_without_binary_layers_nothing_flips() -> None:
    assert mean_flip_rate(flip_rates({}, weight_signs(nn.Linear(2, 2))), {}) == 0


@pytest.mark.parametrize("method", [Rbnn(), Xnor()])
def test_the_signs_are_those_that_are_multiplied_by(method: Rbnn | Xnor) -> None:
    torch.manual_seed(0)
    layer = BinaryLinear(16, 4, weights=method.weights())
    (signs,) = weight_signs(layer).values()
    assert torch.equal(signs * 2.0 - 1, layer.quantised().values)

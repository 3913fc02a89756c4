import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear
from bnnhw.model.methods.irnet import IrNet
from bnnhw.model.training.optimizers import optimizer_named
from bnnhw.model.training.optimizers.bop import BopSteps


def test_flips_where_the_average_has_the_bits_sign_and_is_large_enough() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0]))
    steps = BopSteps([{"params": [weight]}], gamma=0.5, threshold=0.2)
    after = []
    for gradient in ([0.6, -0.6, -0.6, 0.6, 0.3], [0.6, 0.6, 0.6, -0.6, 0.5]):
        weight.grad = torch.tensor(gradient)
        steps.step()
        after.append(weight.tolist())
    # averages: first 0.3 -0.3 -0.3 0.3 0.15, then 0.45 0.15 0.15 -0.15 0.325
    assert after == [[-1, 1, 1, -1, 1], [-1, 1, 1, -1, -1]]


def test_weights_are_signs_from_the_start_and_gamma_follows_the_schedule() -> None:
    network = nn.Sequential(BinaryLinear(4, 3), nn.BatchNorm1d(3))
    parts = optimizer_named("bop", ["gamma=1e-3"]).parts(network, learning_rate=0.01, weight_decay=0.0)
    assert set(network.get_parameter("0.weight").flatten().tolist()) == {-1, 1}
    parts.set_learning_rate(0.005)
    assert [group["lr"] for part in parts.optimizers for group in part.param_groups] == pytest.approx([5e-4, 5e-3])


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(2, 2), "optimizer 'bop' flips binary weights, but the network has none; take 'adam' or 'sgd'"),
        (
            nn.Sequential(BinaryLinear(2, 2, weights=IrNet().weights())),
            "layer '0' has BalancedWeights; take the method",
        ),
    ],
)
def test_errors(network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optimizer_named("bop").parts(network, learning_rate=0.01, weight_decay=0.0)

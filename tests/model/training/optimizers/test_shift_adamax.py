import math

import pytest
import torch
from torch import nn

from bnnhw.model.training.optimizers.shift_adamax import ShiftAdaMaxSteps, power_of_two


def test_two_steps_by_hand() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    steps = ShiftAdaMaxSteps([{"params": [weight]}], lr=2**-10)
    expected, first, greatest = 0.0, 0.0, 0.0
    for number, gradient in enumerate((0.3, -0.7), start=1):
        weight.grad = torch.tensor([gradient])
        steps.step()
        first = 0.875 * first + 0.125 * gradient
        greatest = max(greatest * (1 - 2**-10), abs(gradient))
        rate = 2 ** round(math.log2(2**-10 / (1 - 0.875**number)))
        expected -= rate * first / 2 ** round(math.log2(greatest))
        assert weight.item() == pytest.approx(expected, rel=1e-5)


def test_the_greatest_gradient_is_forgotten() -> None:
    """After a gradient of 1, gradients of 0.01 are at last divided by less."""
    weight = nn.Parameter(torch.tensor([0.0]))
    steps = ShiftAdaMaxSteps([{"params": [weight]}], lr=2**-10)
    for gradient in (1.0, *[0.01] * 1500):
        weight.grad = torch.tensor([gradient])
        steps.step()
    assert steps.state[weight]["greatest"].item() == pytest.approx((1 - 2**-10) ** 1500, rel=1e-3)


@pytest.mark.parametrize(("x", "power"), [(0.0, 0.0), (1.0, 1.0), (3.0, 4.0), (2.8, 2.0), (0.3, 0.25)])
def test_power_of_two(x: float, power: float) -> None:
    assert power_of_two(x) == power


def test_no_gradient_no_step() -> None:
    weight = nn.Parameter(torch.tensor([0.5]))
    steps = ShiftAdaMaxSteps([{"params": [weight]}], lr=0.5)
    steps.step()
    weight.grad = torch.zeros(1)
    steps.step()
    assert weight.item() == 0.5

import math

import pytest
import torch

from bnnhw.model.layers.gradients import Ede, Ste
from bnnhw.model.layers.weights import ap2
from bnnhw.model.methods import method_named
from bnnhw.model.methods.irnet import BalancedWeights, IrNet


@pytest.mark.parametrize(
    ("z", "power"), [(0.0, 0), (1.0, 1), (0.7, 0.5), (0.71, 1), (-3.0, -4), (-2.8, -2), (1e-3, 2**-10)]
)
def test_ap2_rounds_the_logarithm(z: float, power: float) -> None:
    assert ap2(torch.tensor([z])).item() == power


def test_signs_of_the_standardised_weights_and_a_power_of_two_for_each_channel() -> None:
    weight = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.2
    values, scale = BalancedWeights(Ede())(weight)
    assert scale is not None
    for w, value, power in zip(weight.double(), values, scale, strict=True):
        standard = (w - w.mean()) / w.std(correction=0)
        assert torch.equal(value, torch.where(standard >= 0, 1.0, -1.0).float())
        assert power.log2().item() == standard.abs().mean().log2().round().item()
    assert values.mean().abs().item() < 0.2, "most weights are positive, but the signs must be balanced"


@pytest.mark.parametrize("progress", [0.0, 0.6])
def test_the_gradient_goes_through_the_standardisation_but_not_through_the_scale(progress: float) -> None:
    quantiser, weight = BalancedWeights(Ede()), torch.randn(4, 6, requires_grad=True)
    quantiser.begin_epoch(weight, progress)
    upstream = torch.randn(4, 6)
    values, scale = quantiser(weight)
    assert not scale.requires_grad
    (gradient,) = torch.autograd.grad((values * upstream).sum(), weight)
    t = 0.1 * 100**progress
    standard = (weight - weight.mean(1, keepdim=True)) / weight.std(1, correction=0, keepdim=True)
    smooth = max(1 / t, 1) * torch.tanh(t * standard)
    (expected,) = torch.autograd.grad((smooth * upstream).sum(), weight)
    torch.testing.assert_close(gradient, expected)


def test_a_filter_of_equal_weights_stays_finite() -> None:
    weight = torch.full((2, 4), 0.3, requires_grad=True)
    values, scale = BalancedWeights(Ste())(weight)
    (gradient,) = torch.autograd.grad((values * scale[:, None]).sum(), weight)
    assert values.tolist() == [[1] * 4] * 2
    assert bool(scale.isfinite().all())
    assert bool(gradient.isfinite().all())


def test_where_the_gradient_begins_is_an_option() -> None:
    method = method_named("irnet", ["t_min=1e-3"])
    assert isinstance(method, IrNet)
    assert method.sign_gradient() == Ede(t_min=1e-3)
    assert isinstance(IrNet(t_min=1e-3, gradient="ste").sign_gradient(), Ste)
    for t_min in (1e-3, 0.1):
        x = torch.tensor([-2.0, 0.5], requires_grad=True)
        (gradient,) = torch.autograd.grad(IrNet(t_min=t_min).activation()(x).sum(), x)
        assert gradient.tolist() == [0, pytest.approx(1 - math.tanh(t_min / 2) ** 2)]  # as behind a hardtanh


@pytest.mark.parametrize("t_min", [0.0, -1.0, 11.0, float("nan")])
def test_where_the_gradient_cannot_begin(t_min: float) -> None:
    with pytest.raises(ValueError, match=rf"^t_min={t_min} must be above 0 and at most 10$"):
        IrNet(t_min=t_min)

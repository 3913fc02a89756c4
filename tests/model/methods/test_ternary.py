import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear, Sign, Ternarise
from bnnhw.model.layers.ternary import TernaryWeights
from bnnhw.model.methods import method_named


def test_weights_are_three_values_times_the_mean_of_those_beyond_the_threshold() -> None:
    weight = torch.tensor([[0.5, -1.5, 0.0, 0.7], [2.0, -0.69, 1.0, -1.61]])  # of mean magnitude 1
    values, scale = TernaryWeights()(weight)
    assert values.tolist() == [[0, -1, 0, 0], [1, 0, 1, -1]]
    torch.testing.assert_close(scale, torch.full((2,), (1.5 + 2 + 1 + 1.61) / 4))


def test_a_threshold_next_to_the_best_one_for_uniform_and_for_normal_weights() -> None:
    """No other threshold, with the scale that fits it, is nearer to w by more than a percent."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, 100_000)
    for weight in (torch.rand(shape, generator=generator) - 0.5, torch.randn(shape, generator=generator)):
        values, scale = TernaryWeights()(weight)
        assert scale is not None
        magnitude = weight.abs()
        errors = []
        for share in torch.linspace(0.3, 1.2, 91).tolist():
            kept = magnitude > share * magnitude.mean()
            errors.append((weight - weight.sign() * kept * magnitude[kept].mean()).square().mean().item())
        assert (weight - scale * values).square().mean().item() < 1.01 * min(errors)


def test_weights_of_zero_stay_zero_and_finite() -> None:
    values, scale = TernaryWeights()(torch.zeros(2, 3))
    assert not values.any()
    assert scale is not None
    assert bool((scale > 0).all())


def test_the_gradient_of_weights_passes_rounding_and_scale() -> None:
    layer = BinaryLinear(5, 3, weights=TernaryWeights())
    layer.weight.data = torch.randn(3, 5) * 2
    x, upstream = torch.randn(7, 5), torch.randn(7, 3)
    (layer(x) * upstream).sum().backward()
    torch.testing.assert_close(layer.weight.grad, upstream.T @ x)


def test_activations_are_three_values_and_the_gradient_ends_at_one() -> None:
    x = torch.tensor([-9.0, -1.0, -0.51, -0.5, 0.0, 0.5, 0.51, 1.0, 1.01], requires_grad=True)
    y = Ternarise()(x)
    assert y.tolist() == [-1, -1, -1, 0, 0, 0, 1, 1, 1]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(("values", "kind"), [("ternary", Ternarise), ("binary", Sign)])
def test_activations_by_option(values: str, kind: type[nn.Module]) -> None:
    assert isinstance(method_named("ternary", [f"activations={values}"]).activation(), kind)

import pytest
import torch

from bnnhw.model import BinaryLinear, Quantise
from bnnhw.model.methods import method_named
from bnnhw.model.methods.dorefa import DorefaWeights
from bnnhw.model.quantise import quantise_gradient


def test_one_bit_is_the_sign_times_the_layers_mean_magnitude() -> None:
    weight = torch.tensor([[0.5, -1.5, 0.0], [2.0, -0.25, 0.25]])
    values, scale = DorefaWeights(1)(weight)
    assert values.tolist() == [[1, -1, 1], [1, -1, 1]]
    torch.testing.assert_close(scale, torch.full((2,), 0.75))


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_more_bits_are_odd_integers_over_the_greatest(bits: int) -> None:
    weight = torch.randn(4, 9, generator=torch.Generator().manual_seed(bits))
    values, scale = DorefaWeights(bits)(weight)
    levels = 2**bits - 1
    assert bool((values.remainder(2) == 1).all())
    assert values.abs().max().item() == levels
    r = torch.tanh(weight) / (2 * torch.tanh(weight).abs().max()) + 0.5
    assert scale is not None
    torch.testing.assert_close(values * scale[:, None], 2 * torch.round(levels * r) / levels - 1)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_gradient_passes_rounding_and_scale(bits: int) -> None:
    layer = BinaryLinear(5, 3, weights=DorefaWeights(bits))
    layer.weight.data = torch.randn(3, 5)
    x, upstream = torch.randn(7, 5), torch.randn(7, 3)
    (layer(x) * upstream).sum().backward()
    w = layer.weight.detach().clone().requires_grad_()
    smooth = w if bits == 1 else torch.tanh(w) / torch.tanh(w).abs().max()
    (smooth * (upstream.T @ x)).sum().backward()
    torch.testing.assert_close(layer.weight.grad, w.grad)


def test_rounded_gradients_are_few_and_right_on_average() -> None:
    torch.manual_seed(0)
    g = torch.randn(2, 50) * torch.tensor([[1.0], [100.0]])
    greatest = g.abs().amax(1, keepdim=True)
    rounded = torch.stack([quantise_gradient(g, 2) for _ in range(4000)])
    steps = (rounded / greatest + 1) * 3 / 2
    torch.testing.assert_close(steps, steps.round().clamp(0, 3), atol=1e-5, rtol=0)
    inner = g.abs() < greatest * 2 / 3  # beyond, the range cuts the noise off
    error = ((rounded.mean(0) - g) / greatest).abs()
    assert error[inner].max().item() < 0.03
    assert bool((quantise_gradient(torch.zeros(2, 3), 2).isfinite()).all())


def test_activations_round_their_gradients_in_training() -> None:
    torch.manual_seed(0)
    x = torch.rand(3, 40, requires_grad=True)
    (Quantise(2, gradient_bits=1)(x) * torch.randn(3, 40)).sum().backward()
    assert x.grad is not None
    assert [len(row.unique()) for row in x.grad] == [2, 2, 2]


@pytest.mark.parametrize("option", ["weight_bits=0", "activation_bits=9", "gradient_bits=9"])
def test_bits_out_of_range_are_refused(option: str) -> None:
    name, least = option.partition("=")[0], 0 if "gradient" in option else 1
    with pytest.raises(ValueError, match=f"^{option} of method 'dorefa' must lie between {least} and 8$"):
        method_named("dorefa", [option])
    assert name

import numpy as np
import pytest
import torch
from torch.nn import functional

from bnnhw.model import BinaryConv2d
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.methods import method_named
from bnnhw.model.methods.abc_net import AbcWeights


def weights(seed: int = 0) -> torch.Tensor:
    return torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(seed)) * 0.2 + 0.05


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_bases_are_signs_of_shifted_weights(m: int) -> None:
    w = weights().double().numpy().ravel()
    bases = AbcWeights(m).binary(weights()).numpy()
    assert bases.shape == (m, w.size)
    for number, base in enumerate(bases):
        shift = -1 + 2 * number / (m - 1) if m > 1 else 0
        assert np.array_equal(base, np.where(w - w.mean() + shift * w.std() >= 0, 1, -1))


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_alphas_solve_the_least_squares_problem(m: int) -> None:
    quantiser, w = AbcWeights(m), weights()
    bases = quantiser.binary(w)
    alphas = quantiser.alphas(w, bases).double().numpy()
    expected, *_ = np.linalg.lstsq(bases.double().numpy().T, w.double().flatten().numpy(), rcond=None)
    np.testing.assert_allclose(alphas, expected, atol=1e-6)


@pytest.mark.parametrize("w", [[1.0, -0.2, 0.3], [0.25, 0.25, 0.25]], ids=["few weights", "equal weights"])
@pytest.mark.parametrize("m", [5, 16])
def test_bases_that_coincide_do_no_harm(m: int, w: list[float]) -> None:
    """Three weights have four different bases at most, equal weights one."""
    quantiser, weight = AbcWeights(m), torch.tensor([w])
    bases = quantiser.binary(weight)
    assert len(bases.unique(dim=0)) < m
    expected, *_ = np.linalg.lstsq(bases.double().numpy().T, weight.double().numpy()[0], rcond=None)
    np.testing.assert_allclose(quantiser.alphas(weight, bases).numpy(), expected, atol=1e-6)


def test_more_bases_are_nearer_to_the_weights() -> None:
    errors = [(weights() - AbcWeights(m)(weights()).values).norm().item() for m in (1, 3, 5)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.55 * errors[0]


@pytest.mark.parametrize("m", [1, 3])
def test_weights_get_the_sum_of_their_bases_gradients(m: int) -> None:
    w, upstream = weights().requires_grad_(), torch.randn(4, 3, 3, 3)
    quantiser = AbcWeights(m)
    values, scale = quantiser(w)
    factors = torch.ones(4) if scale is None else scale
    (values * factors[:, None, None, None] * upstream).sum().backward()
    alphas = quantiser.alphas(w, quantiser.binary(w))
    torch.testing.assert_close(w.grad, upstream * alphas.sum())


@pytest.mark.parametrize(("x", "shift", "y"), [(0.0, 0.5, 1), (-1e-3, 0.5, -1), (2.0, -1.5, 1), (1.9, -1.5, -1)])
def test_one_activation_is_a_threshold_at_a_half_less_the_shift(x: float, shift: float, y: int) -> None:
    layer = BinaryBases(1)
    assert (layer.shift.item(), layer.beta.item()) == (0.5, 1)
    layer.shift.data.fill_(shift)
    assert layer(torch.tensor([x])).item() == y


def test_a_single_activation_between_batch_norms_is_the_same_as_with_its_own_shift_and_factor() -> None:
    """The shift moves into the bias of the batch norm before it, the factor is left to the one behind the layer."""
    alone, activation = BinaryBases(1), method_named("abc", ["activation_bases=1"]).activation()
    alone.shift.data.fill_(0.7)
    x = torch.randn(200, generator=torch.Generator().manual_seed(0), requires_grad=True)
    shifted = x.detach().add(0.7 - 0.5).requires_grad_()
    y, z = alone(x), activation(shifted)
    assert torch.equal(y, z)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    (other,) = torch.autograd.grad(z.sum(), shifted)
    assert torch.equal(gradient, other)


def test_gradients_of_activations_pass_the_gate() -> None:
    layer = BinaryBases(3)
    layer.shift.data, layer.beta.data = torch.tensor([-0.3, 0.5, 1.2]), torch.tensor([0.2, 0.3, 0.4])
    x = torch.randn(200, generator=torch.Generator().manual_seed(0), requires_grad=True)
    upstream = torch.randn(200)
    (layer(x) * upstream).sum().backward()
    h = x.detach()[:, None] + layer.shift.detach()
    gate = ((h >= 0) & (h <= 1)).float()
    sides = torch.where(h.clamp(0, 1) >= 0.5, 1.0, -1.0)
    torch.testing.assert_close(x.grad, upstream * (gate @ layer.beta.detach()))
    torch.testing.assert_close(layer.beta.grad, upstream @ sides)
    torch.testing.assert_close(layer.shift.grad, (upstream @ gate) * layer.beta.detach())


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 1), (1, 3), (3, 5)])
def test_the_layer_is_the_sum_of_m_times_n_binary_convolutions(m: int, n: int) -> None:
    quantiser, activation = AbcWeights(m), BinaryBases(n)
    conv = BinaryConv2d(3, 4, 3, padding=1, weights=quantiser, activation=activation)
    conv.weight.data = weights()
    x = torch.randn(2, 3, 6, 6)
    bases = quantiser.binary(conv.weight)
    alphas = quantiser.alphas(conv.weight, bases)
    expected = torch.zeros(2, 4, 6, 6)
    for alpha, b in zip(alphas, bases, strict=True):
        for shift, beta in zip(activation.shift, activation.beta, strict=True):
            a = torch.where((x + shift).clamp(0, 1) >= 0.5, 1.0, -1.0)
            expected += alpha * beta * functional.conv2d(a, b.view(4, 3, 3, 3), padding=1)
    torch.testing.assert_close(conv(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("option", ["weight_bases=0", "activation_bases=17"])
def test_bases_out_of_range_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"^{option} of method 'abc' must lie between 1 and 16$"):
        method_named("abc", [option])

"""Each gradient against autograd of the function that its paper puts in the place of sign."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from bnnhw.model import Sign, sign
from bnnhw.model.layers.gradients import (
    GRADIENTS,
    Ede,
    Gradient,
    Polynomial,
    RbnnGradient,
    Ste,
    SwishSign,
    gradient_named,
    within,
)


def polynomial(x: Tensor, progress: float) -> Tensor:
    inner = torch.where(x < 0, 2 * x + x**2, 2 * x - x**2)
    return torch.where(x.abs() < 1, inner, x.sign())


def ede(x: Tensor, progress: float) -> Tensor:
    t = 0.1 * 10 ** (progress * math.log10(10 / 0.1))
    return max(1 / t, 1) * torch.tanh(t * x)


def rbnn(x: Tensor, progress: float, least: float = 0.0) -> Tensor:
    t = max(10 ** (-2 + progress * 3), least)
    k = max(1 / t, 1)
    inner = k * (-x.sign() * t**2 * x**2 / 2 + math.sqrt(2) * t * x)
    return torch.where(x.abs() < math.sqrt(2) / t, inner, k * x.sign())


def swish_sign(x: Tensor, progress: float) -> Tensor:
    logistic = torch.sigmoid(5 * x)
    return 2 * logistic * (1 + 5 * x * (1 - logistic)) - 1


FUNCTIONS: dict[Gradient, Callable[[Tensor, float], Tensor]] = {
    Ste(): lambda x, progress: x.clamp(-1, 1),
    Polynomial(): polynomial,
    Ede(): ede,
    Ede(bound=1.0): lambda x, progress: ede(x.clamp(-1, 1), progress),
    RbnnGradient(): rbnn,
    RbnnGradient(least=1.0): partial(rbnn, least=1.0),
    SwishSign(): swish_sign,
}


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("gradient", FUNCTIONS, ids=lambda gradient: type(gradient).__name__)
def test_is_the_derivative_of_its_function(gradient: Gradient, progress: float) -> None:
    x = (torch.randn(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2).requires_grad_()
    (expected,) = torch.autograd.grad(FUNCTIONS[gradient](x, progress).sum(), x)
    torch.testing.assert_close(gradient.derivative(x.detach(), progress), expected)


@pytest.mark.parametrize("name", GRADIENTS)
def test_signs_go_forwards_and_the_gradient_backwards(name: str) -> None:
    layer = Sign(gradient_named(name))
    layer.on_epoch(0.5)
    x = torch.tensor([-3.0, -0.25, -0.0, 0.0, 0.25, 3.0], requires_grad=True)
    y = layer(x)
    (y * torch.arange(6)).sum().backward()
    assert y.tolist() == [-1, -1, 1, 1, 1, 1]
    assert x.grad is not None
    torch.testing.assert_close(x.grad, GRADIENTS[name].derivative(x.detach(), 0.5) * torch.arange(6))


@pytest.mark.parametrize("name", ["ede", "rbnn"])
def test_grows_steeper(name: str) -> None:
    far, near = torch.tensor([2.0]), torch.tensor([0.01])
    slopes = [[GRADIENTS[name].derivative(x, progress).item() for x in (far, near)] for progress in (0.0, 0.5, 1.0)]
    assert slopes[0][0] > 0.9 * slopes[0][1], "at first it must be nearly the same everywhere"
    assert slopes[-1][0] < 1e-6 < 5 < slopes[-1][1], "at last it must be nearly the sign's"
    assert slopes[0][1] < slopes[1][1] + 1 < slopes[2][1]


@pytest.mark.parametrize("x", [1e3, -1e3, 1e30])
def test_far_away_nothing_overflows(x: float) -> None:
    for gradient in GRADIENTS.values():
        assert gradient.derivative(torch.tensor([x]), 1.0).abs().item() < 1e-6


def test_the_function_takes_a_gradient_too() -> None:
    x = torch.tensor([0.25], requires_grad=True)
    sign(x, Polynomial()).backward()
    assert x.grad is not None
    assert x.grad.item() == 1.5


def test_gradients_of_activations_do_not_grow_from_layer_to_layer() -> None:
    """RBNN's for weights begins with sqrt(2) everywhere, which eighteen layers would make 512 of."""
    x = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    mean_squares = {
        name: gradient_named(name, of_activations=True).derivative(x, 0.0).square().mean().item()
        for name in ("ste", "ppf", "ede", "rbnn")
    }
    assert max(mean_squares.values()) < 1.05
    assert gradient_named("rbnn").derivative(x, 0.0).square().mean().item() > 1.9


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown gradient 'step'; known ones are ste, ppf, ede, rbnn, swish-sign$"):
        gradient_named("step")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bound", [0.5, 1, 4])
def test_within_ends_at_its_bound_to_the_last_bit(bound: float, dtype: torch.dtype) -> None:
    edge = torch.tensor([bound], dtype=dtype)
    beyond, inside = torch.nextafter(edge, 2 * edge), torch.nextafter(edge, 0 * edge)
    x = torch.cat([edge, inside, 0 * edge, -edge, -inside, beyond, -beyond, 100 * edge, torch.inf * edge])
    assert within(x, bound).tolist() == [1] * 5 + [0] * 4
    assert within(x, bound).dtype == dtype

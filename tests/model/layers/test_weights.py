import pytest
import torch
from torch import Tensor

from bnnhw.model.layers.weights import LEAST, standardised
from bnnhw.model.methods import method_named


def with_gradient(weight: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    leaf = weight.clone().requires_grad_()
    values = standardised(leaf)
    (gradient,) = torch.autograd.grad(values, leaf, upstream)
    return values.detach(), gradient


@pytest.mark.parametrize("number", [0.3, 0.1, -7.7, 0.0, 1e-30, 1e-9, 1e5, 1e30, 3e38])
@pytest.mark.parametrize("count", [1, 2, 9, 27, 4608])
def test_equal_weights_become_0_and_their_gradient_that_of_centring(number: float, count: int) -> None:
    torch.manual_seed(0)
    upstream = torch.randn(2, count)
    values, gradient = with_gradient(torch.full((2, count), number), upstream)
    assert torch.equal(values, torch.zeros(2, count))
    torch.testing.assert_close(gradient, upstream - upstream.mean(1, keepdim=True))


@pytest.mark.parametrize("other", [0.1000001, 0.10000001, 0.0999999, 0.100001])
def test_nearly_equal_weights_count_as_equal(other: float) -> None:
    weight = torch.tensor([0.1] * 8 + [other]).view(1, 1, 3, 3)
    values, gradient = with_gradient(weight, torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(values, torch.zeros(1, 1, 3, 3))
    assert gradient.abs().max().item() < 10


@pytest.mark.parametrize("method", ["irnet", "rbnn"])
def test_equal_weights_are_plus_one_and_learn_finitely(method: str) -> None:
    torch.manual_seed(0)
    layer = method_named(method, ["adjust=no"] if method == "rbnn" else []).conv2d(3, 4, 3, size=(5, 5))
    layer.weight.data.fill_(0.3)
    layer.on_epoch(0.0)
    assert torch.equal(layer.quantised().values, torch.ones(4, 3, 3, 3))
    layer(torch.randn(2, 3, 7, 7)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().max().item() < 1e3


@pytest.mark.parametrize("shape", [(16, 9), (16, 3, 3, 3), (4, 64, 3, 3)])
@pytest.mark.parametrize(
    ("mean", "deviation"), [(0.0, 1.0), (0.2, 0.1), (5.0, 1e-3), (1.0, 1e-4), (0.0, 1e-9), (1e-30, 1e-30)]
)
def test_other_weights_keep_the_bits_of_the_plain_formula(
    shape: tuple[int, ...], mean: float, deviation: float
) -> None:
    torch.manual_seed(0)
    weight, upstream = mean + deviation * torch.randn(shape), torch.randn(shape)
    plain = weight.clone().requires_grad_()
    centred = plain.flatten(1) - plain.flatten(1).mean(1, keepdim=True)
    expected = centred / centred.square().mean(1, keepdim=True).clamp_min(LEAST**2).sqrt()
    (gradient,) = torch.autograd.grad(expected.view(shape), plain, upstream)
    assert all(map(torch.equal, with_gradient(weight, upstream), (expected.detach().view(shape), gradient)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_standardised_as_the_same_numbers_in_float32(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight = (0.2 + 0.02 * torch.randn(4, 3, 3, 3)).to(dtype)
    weight[0] = 0.3
    values = standardised(weight)
    assert values.dtype == dtype
    assert torch.equal(values, standardised(weight.float()).to(dtype))
    assert torch.equal(values[0], torch.zeros(3, 3, 3, dtype=dtype))

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model.abc import AbcActivation, AbcConv2d, AbcConvTranspose2d, binary_bases, least_squares

COUNTS = (1, 2, 3, 5)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_bases_by_hand() -> None:
    assert binary_bases(torch.tensor([[-4.0, 0.0], [1.0, 3.0]]), 1).tolist() == [[[-1, 1], [1, 1]]]
    weight = torch.tensor([[-2.8, 2.3], [-2.3, 2.8]])  # mean 0, standard deviation 2.56
    assert binary_bases(weight, 3).tolist() == [[[-1, -1], [-1, 1]], [[-1, 1], [-1, 1]], [[-1, 1], [1, 1]]]
    assert binary_bases(weight + 7, 3).tolist() == binary_bases(weight, 3).tolist()


@pytest.mark.parametrize("count", COUNTS)
def test_factors_are_the_least_squares(count: int) -> None:
    weight = random(6, 4, 3, 3) + 0.2
    bases = binary_bases(weight, count)
    alpha = least_squares(bases, weight)
    residue = weight - torch.tensordot(alpha, bases, 1)
    assert (bases * residue).flatten(1).sum(1).tolist() == pytest.approx([0] * count, abs=1e-3)


def test_bases_that_coincide_share_their_factor() -> None:
    basis = binary_bases(random(5, 5), 1)
    weight = 3 * basis[0]
    assert least_squares(basis.expand(3, 5, 5), weight).tolist() == pytest.approx([1, 1, 1])
    layer = AbcConv2d(2, 3, 1, bases=3)
    nn.init.ones_(layer.weight)  # no deviation: all bases are +1
    nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
    assert layer(torch.ones(1, 2, 1, 1)).flatten().tolist() == pytest.approx([2, 2, 2])


@pytest.mark.parametrize("weights", COUNTS)
@pytest.mark.parametrize("activations", COUNTS)
def test_a_convolution_is_so_many_binary_ones(weights: int, activations: int) -> None:
    layer, binarise = AbcConv2d(4, 6, 3, padding=1, bases=weights), AbcActivation(activations)
    x = random(2, 4, 5, 7)
    bases, expected = binary_bases(layer.weight, weights), torch.zeros(2, 6, 5, 7)
    for alpha, basis in zip(least_squares(bases, layer.weight), bases, strict=True):
        for beta, shift in zip(binarise.factor, binarise.shift, strict=True):
            signs = torch.where((x + shift).clamp(0, 1) >= 0.5, 1.0, -1.0)
            expected += alpha * beta * functional.conv2d(signs, basis, padding=1)
    assert layer.bias is not None
    expected += layer.bias[:, None, None]
    torch.testing.assert_close(layer(binarise(x)), expected)


def test_a_transposed_convolution_is_four_convolutions_of_one_pixel() -> None:
    layer = AbcConvTranspose2d(4, 3, bases=2)
    x = random(2, 4, 5, 7)
    bases = binary_bases(layer.weight, 2)
    weight = torch.tensordot(least_squares(bases, layer.weight), bases, 1)
    y = layer(x)
    assert y.shape == (2, 3, 10, 14)
    for row in range(2):
        for column in range(2):
            one = functional.conv2d(x, weight[:, :, row, column].T[..., None, None])
            torch.testing.assert_close(y[:, :, row::2, column::2], one)


@pytest.mark.parametrize("layer", [AbcConv2d(2, 3, 3, bases=0), AbcConvTranspose2d(2, 3, bases=0)])
def test_without_bases_the_weights_are_real(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    x = random(1, 2, 5, 5)
    if isinstance(layer, nn.Conv2d):
        expected = functional.conv2d(x, layer.weight, layer.bias)
    else:
        expected = functional.conv_transpose2d(x, layer.weight, stride=2)
    assert torch.equal(layer(x), expected)


@pytest.mark.parametrize("count", COUNTS)
def test_the_gradient_of_the_weights(count: int) -> None:
    layer = AbcConv2d(2, 3, 3, bases=count)
    x, slope = random(1, 2, 6, 6), random(1, 3, 4, 4, seed=1)
    (layer(x) * slope).sum().backward()
    bases = binary_bases(layer.weight.detach(), count)
    alpha = least_squares(bases, layer.weight.detach())
    scaled = [(one * basis).requires_grad_() for one, basis in zip(alpha, bases, strict=True)]
    functional.conv2d(x, torch.stack(scaled).sum(0)).mul(slope).sum().backward()
    expected = sum(one * tensor.grad for one, tensor in zip(alpha, scaled, strict=True) if tensor.grad is not None)
    assert layer.weight.grad is not None
    assert isinstance(expected, Tensor)
    torch.testing.assert_close(layer.weight.grad, expected)


def test_activations_by_hand() -> None:
    layer = AbcActivation(2)
    layer.shift.data = torch.tensor([0.25, 0.75])  # +1 from 0.25 and from -0.25 on
    layer.factor.data = torch.tensor([2.0, 0.5])
    x = torch.tensor([-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0], requires_grad=True)
    y = layer(x)
    assert y.tolist() == [-2.5, -2.5, -2.5, -1.5, -1.5, 2.5, 2.5, 2.5, 2.5]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0.5, 0.5, 2.5, 2.5, 2.5, 2, 2, 0]  # where 0 <= x + v <= 1
    assert layer.shift.grad is not None
    assert layer.shift.grad.tolist() == [2 * 5, 0.5 * 5]
    assert layer.factor.grad is not None
    assert layer.factor.grad.tolist() == [-1, 3]


@pytest.mark.parametrize("count", COUNTS)
def test_activations_begin_as_the_best_fit_to_a_normal_distribution(count: int) -> None:
    x = random(200_000)
    layer = AbcActivation(count)
    assert (0.5 - layer.shift).tolist() == pytest.approx([0] if count == 1 else torch.linspace(-1, 1, count).tolist())
    signs = torch.where(x >= 0.5 - layer.shift[:, None], 1.0, -1.0)
    assert layer.factor.tolist() == pytest.approx(least_squares(signs, x).tolist(), abs=0.02)


def test_counts_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^count=0 must be at least 1; leave the layer out where .* real$"):
        AbcActivation(0)
    with pytest.raises(ValueError, match=r"^bases=-1 must be at least 0, which leaves the weights real$"):
        AbcConv2d(1, 1, 1, bases=-1)

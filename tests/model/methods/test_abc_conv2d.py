import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import BinaryConv2d
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d
from bnnhw.model.methods.abc_net import AbcWeights

COUNTS = (1, 2, 3)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def terms(weight: Tensor, count: int) -> Tensor:
    """alpha_m * B_m, (count, ...)."""
    bases = AbcWeights(count).binary(weight)
    alphas = AbcWeights(count).alphas(weight, bases)
    return (alphas[:, None] * bases).view(count, *weight.shape)


@pytest.mark.parametrize("weights", COUNTS)
@pytest.mark.parametrize("activations", COUNTS)
def test_a_convolution_is_so_many_binary_ones(weights: int, activations: int) -> None:
    layer, binarise = AbcConv2d(4, 6, 3, padding=1, bases=weights), BinaryBases(activations)
    x = random(2, 4, 5, 7)
    expected = torch.zeros(2, 6, 5, 7)
    for term in terms(layer.weight, weights):
        for beta, shift in zip(binarise.beta, binarise.shift, strict=True):
            signs = torch.where((x + shift).clamp(0, 1) >= 0.5, 1.0, -1.0)
            expected += beta * functional.conv2d(signs, term, padding=1)
    assert layer.bias is not None
    expected += layer.bias[:, None, None]
    torch.testing.assert_close(layer(binarise(x)), expected)


@pytest.mark.parametrize("weights", COUNTS)
def test_a_convolution_is_that_of_the_method(weights: int) -> None:
    layer = AbcConv2d(4, 6, 3, padding=1, bases=weights)
    twin = BinaryConv2d(4, 6, 3, padding=1, weights=AbcWeights(weights), bias=True)
    twin.load_state_dict(layer.state_dict())
    x = random(2, 4, 5, 7)
    torch.testing.assert_close(twin(x), layer(x))


def test_a_transposed_convolution_is_four_convolutions_of_one_pixel() -> None:
    layer = AbcConvTranspose2d(4, 3, bases=2)
    x = random(2, 4, 5, 7)
    weight = terms(layer.weight, 2).sum(0)
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


@pytest.mark.parametrize("layer", [AbcConv2d(2, 3, 2, bases=3), AbcConvTranspose2d(2, 3, bases=3)])
def test_latent_weights_learn(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    layer(random(1, 2, 5, 5)).square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().min() > 0


def test_bases_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^bases=-1 must be at least 0, which leaves the weights real$"):
        AbcConv2d(1, 1, 1, bases=-1)

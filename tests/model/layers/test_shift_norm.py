import math
from pathlib import Path

import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, ToChannelsFirst, ToChannelsLast, load
from bnnhw.model.export.save_model import save
from bnnhw.model.layers.shift_norm import ShiftBatchNorm
from tests.model.toy import scramble


def ap2(z: float) -> float:
    return math.copysign(2.0 ** round(math.log2(abs(z))), z) if z else 0.0


def test_a_batch_by_hand() -> None:
    layer = ShiftBatchNorm(1)
    layer.weight.data.fill_(-0.8)
    layer.bias.data.fill_(0.25)
    values = [3.0, -1.0, 4.0, 2.5]
    mean = sum(values) / 4
    centred = [value - mean for value in values]
    inverse = 1 / math.sqrt(sum(each * ap2(each) for each in centred) / 4 + 1e-4)
    expected = [ap2(-0.8) * (each * ap2(inverse)) + 0.25 for each in centred]
    assert layer(torch.tensor(values)[:, None])[:, 0].tolist() == pytest.approx(expected)
    assert layer.running_mean.item() == pytest.approx(0.125 * mean)
    assert layer.running_inverse.item() == pytest.approx(0.875 + 0.125 * inverse)


def test_images_are_normalised_channel_by_channel() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 5, 2) * 8 + torch.tensor([0.0, 100.0, -7.0]).view(-1, 1, 1)
    y = ShiftBatchNorm(3)(x)
    assert y.mean((0, 2, 3)).abs().max().item() < 1e-4
    assert 0.5 < y.std((0, 2, 3)).min().item() < y.std((0, 2, 3)).max().item() < 2


def test_the_gradient_is_nearly_batch_norms() -> None:
    torch.manual_seed(0)
    x, g = torch.randn(64, 3), torch.randn(64, 3)
    gradients = []
    for layer in (ShiftBatchNorm(3), nn.BatchNorm1d(3)):
        leaf = x.clone().requires_grad_()
        layer(leaf).backward(g)
        assert leaf.grad is not None
        gradients.append(leaf.grad.flatten())
    assert torch.cosine_similarity(*gradients, dim=0).item() > 0.95


def gradients(x: torch.Tensor, g: torch.Tensor, *, gamma: torch.Tensor, eps: float = 0.0) -> tuple[torch.Tensor, ...]:
    """Of x, gamma and beta, where g is that of the layer's output."""
    layer = ShiftBatchNorm(len(gamma), eps=eps)
    layer.weight.data.copy_(gamma)
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(layer(leaf), (leaf, layer.weight, layer.bias), g)


def test_the_gradient_of_four_numbers_is_that_of_the_authors_code() -> None:
    """C = [-3, -2, 0, 5], AP2(C) = [-4, -2, 0, 4], s = 1/3, AP2(s) = 1/4."""
    x, g = torch.tensor([[0.0], [1], [3], [8]]), torch.tensor([[1.0], [0], [0], [0]])
    d_x, d_gamma, d_beta = gradients(x, g, gamma=torch.ones(1))
    assert d_x[:, 0].tolist() == [0.125, -0.09375, -0.0625, 0]
    assert (d_gamma.tolist(), d_beta.tolist()) == ([-1], [1])
    d_x, d_gamma, _ = gradients(x, g, gamma=torch.tensor([-3.0]))
    assert d_x[:, 0].tolist() == [-0.5, 0.375, 0.25, 0]
    assert d_gamma.tolist() == [-1]


@pytest.mark.parametrize("shape", [(64, 3), (1, 3), (4, 3, 5, 2), (2, 3, 1, 1)])
def test_gradients_are_batch_norms_with_powers_of_two(shape: tuple[int, ...]) -> None:
    """Channel by channel, number by number: the formula of the docstring in Python's floats."""
    torch.manual_seed(0)
    x, g, gamma = torch.randn(shape) * 3 + 1, torch.randn(shape), torch.tensor([0.8, -3.1, 0.0])
    d_x, d_gamma, d_beta = gradients(x, g, gamma=gamma, eps=1e-4)
    for channel in range(3):
        xs, gs = x[:, channel].flatten().tolist(), g[:, channel].flatten().tolist()
        n, mean = len(xs), sum(xs) / len(xs)
        c = [ap2(each - mean) for each in xs]
        t = ap2(1 / math.sqrt(sum((each - mean) * power for each, power in zip(xs, c, strict=True)) / n + 1e-4))
        along = sum(each * power for each, power in zip(gs, c, strict=True))
        factor = ap2(gamma[channel].item()) * t
        expected = [factor * (each - sum(gs) / n - power * t**2 * along / n) for each, power in zip(gs, c, strict=True)]
        assert d_x[:, channel].flatten().tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert d_gamma[channel].item() == pytest.approx(along * t, rel=1e-4, abs=1e-5)
        assert d_beta[channel].item() == pytest.approx(sum(gs), rel=1e-4, abs=1e-5)


def test_in_eval_mode_it_is_a_shift_and_an_offset() -> None:
    layer = ShiftBatchNorm(2).eval()
    layer.weight.data, layer.bias.data = torch.tensor([0.8, -3.1]), torch.tensor([0.5, -0.25])
    layer.running_mean.copy_(torch.tensor([3.0, -2.0]))
    layer.running_inverse.copy_(torch.tensor([0.3, 0.11]))
    x = torch.tensor([[7.0, 5.0], [0.0, -2.0]])
    assert torch.equal(layer(x), torch.tensor([[(7 - 3) / 4 + 0.5, -(5 + 2) / 2 - 0.25], [-3 / 4 + 0.5, -0.25]]))


def test_exports_to_the_same_bits(tmp_path: Path) -> None:
    network = nn.Sequential(
        ToChannelsFirst(), BinaryConv2d(1, 4, 3), ShiftBatchNorm(4), Sign(), ToChannelsLast(), nn.Flatten(),
        BinaryLinear(16, 5), ShiftBatchNorm(5), Sign(), BinaryLinear(5, 3),
    )  # fmt: skip
    scramble(network)
    for name in ("2", "7"):
        network.get_buffer(f"{name}.running_inverse").abs_()
    images = torch.randint(0, 16, (500, 4, 4, 1), generator=torch.Generator().manual_seed(0))
    save(network, tmp_path / "model.pt", example_input=images, input_range=(0, 15))
    assert torch.equal(load(tmp_path / "model.pt")(images.float()), network(images.float()))

"""What docs/methods.md says of our side beside the authors' code, in numbers; their side is written out here."""

import math

import pytest
import torch

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.weights import standardised
from bnnhw.model.methods import METHODS, method_named
from bnnhw.model.methods.rbnn import RotatedWeights
from bnnhw.model.methods.xnor import MeanScaledWeights
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.training.optimizers.shift_adamax import ShiftAdaMaxSteps, power_of_two


def test_xnors_gradient_is_the_authors_but_for_n_and_the_share_that_centring_leaves() -> None:
    torch.manual_seed(0)
    conv = BinaryConv2d(4, 6, 3, weights=MeanScaledWeights())
    conv.weight.data = torch.randn(6, 4, 3, 3).clamp(-1, 1)
    w, n, c = conv.weight.detach(), 36, 4
    values, scale = conv.quantised()
    assert scale is not None
    upstream = torch.randn_like(w)  # dL/dw~ of w~ = alpha sign(w)
    (ours,) = torch.autograd.grad((values * scale.view(-1, 1, 1, 1) * upstream).sum(), conv.weight)
    alpha, inside = w.abs().mean((1, 2, 3), keepdim=True), w.abs() < 1
    authors = upstream * (alpha * inside + 1 / n) * (1 - 1 / c) * n
    torch.testing.assert_close(authors[inside], ours[inside] * n * (1 - 1 / c))
    at_one = upstream * (alpha + 1 / n)  # where they end the gradient, and we do not yet
    torch.testing.assert_close(ours[~inside], at_one[~inside])
    assert bool((~inside).any())


def test_xnors_first_step_sees_weights_that_are_not_centred_yet() -> None:
    conv = method_named("xnor").conv2d(4, 6, 3, size=(5, 5))
    conv.weight.data += 0.1
    assert torch.equal(conv.quantised().values, torch.where(conv.weight >= 0, 1.0, -1.0))
    assert conv.weight.mean(1).abs().max().item() > 0.01
    conv.clip()
    assert conv.weight.mean(1).abs().max().item() < 1e-6


def test_bireals_gradient_is_alpha_times_the_authors_and_its_weights_are_clipped() -> None:
    torch.manual_seed(0)
    layer = BinaryLinear(5, 3, weights=method_named("bireal").weights())
    layer.weight.data = torch.randn(3, 5) * 1.2
    w, upstream = layer.weight.detach().clone(), torch.randn(3, 5)
    values, scale = layer.quantised()
    assert scale is not None
    (ours,) = torch.autograd.grad((values * scale[:, None] * upstream).sum(), layer.weight)
    authors = upstream * (w.abs() <= 1)  # through clamp(w, -1, 1), whose values theirs are put in place of
    torch.testing.assert_close(ours, authors * w.abs().mean(1, keepdim=True))
    layer.clip()
    assert torch.equal(layer.weight, w.clamp(-1, 1))


@pytest.mark.parametrize("n", [9, 576])
def test_standard_deviations_divide_by_n(n: int) -> None:
    weight = torch.randn(5, n, generator=torch.Generator().manual_seed(0))
    authors = (weight - weight.mean(1, keepdim=True)) / weight.std(1, keepdim=True)
    torch.testing.assert_close(standardised(weight), authors * math.sqrt(n / (n - 1)))


def test_rbnn_has_one_angle_a_layer_from_a_quarter_of_pi_and_no_scale() -> None:
    conv = method_named("rbnn", ["rotation=filter"]).conv2d(4, 6, 3, size=(5, 5))
    assert isinstance(conv.quantiser, RotatedWeights)
    assert conv.quantiser.beta.tolist() == [pytest.approx(math.pi / 4)]
    assert conv.quantised().scale is None
    assert conv.scale is None


@pytest.mark.parametrize("name", METHODS)
def test_chains_of_signs_are_padded_with_minus_one_and_all_else_with_zero(name: str) -> None:
    of_signs = name not in ("bwn", "dorefa", "ternary", "abc", "real")
    for network, expected in (("lenet", [0, -1 if of_signs else 0]), ("resnet20", [0] * 18)):
        built = build_network(
            architecture(network), shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(name), real=True
        )
        assert [layer.pad_value for layer in built.modules() if isinstance(layer, BinaryConv2d)] == expected


def test_the_greatest_gradient_of_shift_adamax_falls_here_and_not_in_the_authors_code() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    steps = ShiftAdaMaxSteps([{"params": [weight]}], lr=2**-10)
    authors = 0.0
    for gradient in (1.0, *[0.01] * 500):
        weight.grad = torch.tensor([gradient])
        steps.step()
        authors = power_of_two(max(0.999 * authors, gradient)) + 2**-27
    assert authors == pytest.approx(1)
    assert steps.state[weight]["greatest"].item() == pytest.approx((1 - 2**-10) ** 500, rel=1e-3)


def test_the_first_step_of_shift_adamax_by_the_papers_rates_and_by_the_authors() -> None:
    """lr = 2^-10, g = 1: AP2(2^-10/2^-3) 2^-3 = 2^-10; and theirs, AP2(2^-10/0.1) 0.1/(1 + 2^-27) = 0.1 * 2^-7."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)
    ShiftAdaMaxSteps([{"params": [weight]}], lr=2**-10).step()
    assert weight.item() == -(2**-10)
    authors = power_of_two(2**-10 / 0.1) * 0.1 / (1 + 2**-27)
    assert authors == pytest.approx(0.8 * 2**-10)

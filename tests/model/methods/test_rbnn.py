import math

import pytest
import torch
from torch import Tensor

from bnnhw.model import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.gradients import RbnnGradient
from bnnhw.model.methods.rbnn import Rbnn, RotatedWeights
from bnnhw.model.methods.rotation import cosine, rotate
from bnnhw.model.training.epochs import on_epoch


def layer(scope: str = "layer", *, standardise: bool = False, seed: int = 0) -> tuple[BinaryConv2d, RotatedWeights]:
    torch.manual_seed(seed)
    quantiser = RotatedWeights(RbnnGradient(), scope=scope, standardise=standardise)  # pyright: ignore[reportArgumentType]
    return BinaryConv2d(4, 6, 3, weights=quantiser), quantiser


def full_rotation(quantiser: RotatedWeights) -> Tensor:
    return torch.kron(quantiser.r1, quantiser.r2)


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize(("scope", "sizes"), [("layer", (12, 18)), ("filter", (6, 6))])
def test_values_are_the_signs_of_the_weights_on_their_way_to_the_rotated_ones(
    scope: str, sizes: tuple[int, int], standardise: bool
) -> None:
    conv, quantiser = layer(scope, standardise=standardise)
    conv.weight.data += 0.1
    assert (len(quantiser.r1), len(quantiser.r2)) == sizes
    for angle in (0.0, 0.4, math.pi / 2, -2.0):
        quantiser.beta.data.fill_(angle)
        w = conv.weight.detach().reshape(6, -1)
        if standardise:
            w = (w - w.mean(1, keepdim=True)) / w.std(1, correction=0, keepdim=True)
        w = w.reshape(-1, math.prod(sizes))
        expected = w + (w @ full_rotation(quantiser) - w) * abs(math.sin(angle))
        near = expected.abs() < 1e-5
        values, scale = conv.quantised()
        assert scale is None
        assert bool((near | (values.view_as(w) == torch.where(expected >= 0, 1.0, -1.0))).all())


def test_gradients_of_weights_and_angle_are_the_papers() -> None:
    """Equations 14 to 16, written out with the whole rotation matrix."""
    conv, quantiser = layer()
    quantiser.beta.data.fill_(-0.7)
    on_epoch(conv, 0.6)
    upstream = torch.randn_like(conv.weight)
    values, _ = conv.quantised()
    d_weight, d_beta = torch.autograd.grad((values * upstream).sum(), (conv.weight, quantiser.beta))
    w, g, r = conv.weight.detach().flatten(), upstream.flatten(), full_rotation(quantiser)
    alpha, turned = abs(math.sin(-0.7)), r.T @ w - w
    arriving = g * RbnnGradient().derivative(w + turned * alpha, 0.6)
    jacobian = (1 - alpha) * torch.eye(len(w)) + alpha * r.T
    torch.testing.assert_close(d_weight.flatten(), jacobian.T @ arriving, atol=1e-4, rtol=1e-4)
    d_alpha = (arriving * turned).sum()
    torch.testing.assert_close(d_beta.squeeze(), d_alpha * math.copysign(1, math.sin(-0.7)) * math.cos(-0.7))


@pytest.mark.parametrize("scope", ["layer", "filter"])
def test_each_epoch_learns_the_rotation_and_keeps_it_in_buffers(scope: str) -> None:
    conv, quantiser = layer(scope)
    weights = quantiser.matrices(conv.weight.detach())
    before = cosine(weights, quantiser.r1, quantiser.r2)
    on_epoch(conv, 0.0)
    after = cosine(weights, quantiser.r1, quantiser.r2)
    assert after > before + 0.02
    again, _ = layer(scope, seed=1)
    again.load_state_dict(conv.state_dict())
    assert torch.equal(again.quantised().values, conv.quantised().values)
    assert {"quantiser.r1", "quantiser.r2", "quantiser.beta"} <= conv.state_dict().keys()


def test_without_adjustment_the_weights_are_wholly_rotated_and_the_angle_is_not_learnt() -> None:
    torch.manual_seed(2)
    quantiser = Rbnn(adjust=False).weights()
    conv = BinaryConv2d(4, 6, 3, weights=quantiser)
    assert isinstance(quantiser, RotatedWeights)
    w = quantiser.matrices(conv.weight.detach())
    expected = rotate(w, quantiser.r1, quantiser.r2)
    near = expected.abs() < 1e-5
    values, _ = conv.quantised()
    assert bool((near | (values.view_as(w) == torch.where(expected >= 0, 1.0, -1.0))).all())
    values.sum().backward()
    assert quantiser.beta.grad is None
    assert conv.weight.grad is not None


def test_latent_weights_are_not_clipped() -> None:
    linear = BinaryLinear(2, 1, weights=RotatedWeights(RbnnGradient()))
    linear.weight.data.fill_(3)
    linear.clip()
    assert linear.weight.tolist() == [[3, 3]]

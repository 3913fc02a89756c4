import torch

from bnnhw.model import BinaryLinear, Sign
from bnnhw.model.layers.gradients import Polynomial
from bnnhw.model.methods import method_named


def test_weights_are_scaled_signs_with_a_clipped_straight_through_gradient() -> None:
    method = method_named("bireal")
    layer = BinaryLinear(5, 3, weights=method.weights())
    layer.weight.data = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)) * 1.2
    x, upstream = torch.randn(7, 5), torch.randn(7, 3)
    (layer(x) * upstream).sum().backward()
    w = layer.weight.detach()
    alpha = w.abs().mean(1, keepdim=True)
    torch.testing.assert_close(layer(x), x @ (torch.where(w >= 0, 1.0, -1.0) * alpha).T)
    torch.testing.assert_close(layer.weight.grad, (upstream.T @ x) * alpha * (w.abs() <= 1))


def test_activations_have_the_polynomials_gradient() -> None:
    activation = method_named("bireal").activation()
    assert isinstance(activation, Sign)
    assert activation.gradient == Polynomial()

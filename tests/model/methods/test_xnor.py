import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear, Sign
from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.methods import method_named
from bnnhw.model.methods.xnor import MeanScaledWeights, XnorConv2d, XnorLinear
from bnnhw.model.networks.catalogue import architecture, build_network


def test_the_scaled_signs_are_the_nearest_to_the_weights() -> None:
    weight = torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    values, scale = MeanScaledWeights()(weight)
    assert scale is not None
    error = (weight - values * scale.view(-1, 1, 1, 1)).square().flatten(1).sum(1)
    for alpha in (0.9, 1.1):
        assert bool(((weight - values * scale.view(-1, 1, 1, 1) * alpha).square().flatten(1).sum(1) > error).all())
    flipped = values.clone()
    flipped[:, 0, 0, 0] *= -1
    assert bool(((weight - flipped * scale.view(-1, 1, 1, 1)).square().flatten(1).sum(1) > error).all())


def test_the_gradient_is_the_papers() -> None:
    layer = BinaryLinear(5, 3, weights=MeanScaledWeights())
    layer.weight.data = torch.randn(3, 5) * 1.2
    x, upstream = torch.randn(7, 5), torch.randn(7, 3)
    (layer(x) * upstream).sum().backward()
    for_scaled_signs = upstream.T @ x  # dL/dw~ of y = x . w~
    w = layer.weight.detach()
    alpha = w.abs().mean(1, keepdim=True)
    torch.testing.assert_close(layer.weight.grad, for_scaled_signs * (1 / 5 + alpha * (w.abs() <= 1)))


@pytest.mark.parametrize("channels", [1, 4])
def test_weights_are_centred_over_the_channels_and_clipped(channels: int) -> None:
    layer = BinaryConv2d(channels, 2, 3, weights=MeanScaledWeights())
    layer.weight.data = torch.randn(2, channels, 3, 3) * 3 + 0.5
    before = layer.weight.detach().clone()
    layer.clip()
    centred = before - before.mean(1, keepdim=True) if channels > 1 else before
    torch.testing.assert_close(layer.weight.detach(), centred.clamp(-1, 1))


def test_k_is_the_mean_magnitude_under_the_window() -> None:
    layer = XnorConv2d(
        3, 2, 3, stride=2, padding=1, pad_value=-1, weights=MeanScaledWeights(), activation=Sign()
    )  # fmt: skip
    plain = BinaryConv2d(3, 2, 3, stride=2, padding=1, pad_value=-1, weights=MeanScaledWeights())
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 5, 6)
    magnitude = torch.nn.functional.pad(x.abs().mean(1), (1, 1, 1, 1))
    k = torch.tensor(
        [[[magnitude[n, i : i + 3, j : j + 3].mean() for j in (0, 2, 4)] for i in (0, 2, 4)] for n in range(2)]
    )
    torch.testing.assert_close(layer(x), plain(torch.where(x >= 0, 1.0, -1.0)) * k[:, None])


def test_k_of_a_fully_connected_layer_is_the_mean_magnitude() -> None:
    layer = XnorLinear(6, 2, weights=MeanScaledWeights(), activation=Sign())
    x = torch.randn(4, 6)
    values, scale = layer.quantised()
    assert scale is not None
    expected = (torch.where(x >= 0, 1.0, -1.0) @ values.T) * scale * x.abs().mean(1, keepdim=True)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("bits", [1, 8])
def test_real_activations_become_so_many_bits_of_fixed_point(bits: int) -> None:
    """Poolings of sums and batch norms are of the exact sums; there is one rounding a layer."""
    torch.manual_seed(0)
    method = method_named("bwn", [f"activation_bits={bits}"])
    network = build_network(architecture("lenet"), shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method)
    images = torch.randint(0, 17, (50, 8, 8, 1)).float()
    network(images)
    found = {name: module for name, module in network.named_modules() if isinstance(module, FixedPoint)}
    assert list(found) == ["conv1.conv.fixed", "conv2.conv.fixed", "hidden1.linear.fixed", "output.linear.fixed"]
    assert not any(isinstance(module, nn.ReLU) for module in network.modules())
    hidden = dict(network.eval().named_modules())["hidden1.linear"]
    values = []
    hidden.register_forward_hook(lambda layer, given, y: values.append(y))
    with torch.inference_mode():
        network(images)
    codes = values[0] * 2.0 ** int(found["hidden1.linear.fixed"].exponent)
    assert torch.equal(codes, codes.round())
    assert codes.min().item() == 0
    assert 2 ** (bits - 1) - 1 < codes.max().item() <= 2**bits - 1


def test_activation_bits_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^activation_bits=16 of method 'bwn' must lie between 1 and 15$"):
        method_named("bwn", ["activation_bits=16"])

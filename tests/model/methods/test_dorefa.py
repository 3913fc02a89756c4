import pytest
import torch
from torch import Tensor, nn
from torch.nn.grad import conv2d_input, conv2d_weight

from bnnhw.model import BinaryLinear
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.layers.quantise import quantise_gradient
from bnnhw.model.methods import method_named
from bnnhw.model.methods.dorefa import Dorefa, DorefaWeights
from bnnhw.model.networks.catalogue import architecture, build_network


def test_one_bit_is_the_sign_times_the_layers_mean_magnitude() -> None:
    weight = torch.tensor([[0.5, -1.5, 0.0], [2.0, -0.25, 0.25]])
    values, scale = DorefaWeights(1)(weight)
    assert values.tolist() == [[1, -1, 1], [1, -1, 1]]
    torch.testing.assert_close(scale, torch.full((2,), 0.75))


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_more_bits_are_odd_integers_over_the_greatest(bits: int) -> None:
    weight = torch.randn(4, 9, generator=torch.Generator().manual_seed(bits))
    values, scale = DorefaWeights(bits)(weight)
    levels = 2**bits - 1
    assert bool((values.remainder(2) == 1).all())
    assert values.abs().max().item() == levels
    r = torch.tanh(weight) / (2 * torch.tanh(weight).abs().max()) + 0.5
    assert scale is not None
    torch.testing.assert_close(values * scale[:, None], 2 * torch.round(levels * r) / levels - 1)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_gradient_passes_rounding_and_scale(bits: int) -> None:
    layer = BinaryLinear(5, 3, weights=DorefaWeights(bits))
    layer.weight.data = torch.randn(3, 5)
    x, upstream = torch.randn(7, 5), torch.randn(7, 3)
    (layer(x) * upstream).sum().backward()
    w = layer.weight.detach().clone().requires_grad_()
    smooth = w if bits == 1 else torch.tanh(w) / torch.tanh(w).abs().max()
    (smooth * (upstream.T @ x)).sum().backward()
    torch.testing.assert_close(layer.weight.grad, w.grad)


def test_rounded_gradients_are_few_and_right_on_average() -> None:
    torch.manual_seed(0)
    g = torch.randn(2, 50) * torch.tensor([[1.0], [100.0]])
    greatest = g.abs().amax(1, keepdim=True)
    rounded = torch.stack([quantise_gradient(g, 2) for _ in range(4000)])
    steps = (rounded / greatest + 1) * 3 / 2
    torch.testing.assert_close(steps, steps.round().clamp(0, 3), atol=1e-5, rtol=0)
    inner = g.abs() < greatest * 2 / 3  # beyond, the range cuts the noise off
    error = ((rounded.mean(0) - g) / greatest).abs()
    assert error[inner].max().item() < 0.03
    assert bool((quantise_gradient(torch.zeros(2, 3), 2).isfinite()).all())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gradients_of_half_precision_keep_their_type_and_are_right_on_average(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    g = torch.linspace(-1, 1, 9, dtype=dtype).repeat(1, 500)
    rounded = quantise_gradient(g, 8)
    assert rounded.dtype == dtype
    assert (rounded.float() - g.float()).mean().abs().item() < 1e-3


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_convolutions_gradients_are_products_with_few_values(bits: int) -> None:
    """Not those of the batch norm behind it, whose backward pass would make many values of the few again."""
    torch.manual_seed(0)
    method = method_named("dorefa", [f"gradient_bits={bits}"])
    conv = method.conv2d(4, 8, 3, size=(6, 6), padding=1)
    x = torch.randint(0, 4, (5, 4, 6, 6)).float().requires_grad_()
    y = conv(x)
    y.retain_grad()
    method.activation()(method.norm(8, images=True)(y)).backward(torch.randn(5, 8, 6, 6))
    assert y.grad is not None
    assert max(len(sample.unique()) for sample in y.grad) == 2**bits
    values, scale = conv.quantised()
    assert scale is not None
    for_weight = conv2d_weight(x.detach(), conv.weight.shape, y.grad, padding=1)
    torch.testing.assert_close(conv.weight.grad, for_weight, rtol=1e-4, atol=1e-3)
    for_x = conv2d_input(x.shape, values.detach() * scale.view(-1, 1, 1, 1), y.grad, padding=1)
    torch.testing.assert_close(x.grad, for_x)


def test_every_layer_but_the_last_rounds_its_gradient_behind_poolings_too() -> None:
    torch.manual_seed(0)
    network = build_network(
        architecture("lenet"), shape=(8, 8, 1), lo=0, hi=16, classes=10, method=Dorefa(gradient_bits=2)
    )
    outputs: list[Tensor] = []

    def keep(_layer: nn.Module, _inputs: object, y: Tensor) -> None:
        y.retain_grad()
        outputs.append(y)

    for layer in network.modules():
        if isinstance(layer, BinaryLayer):
            layer.register_forward_hook(keep)
    network(torch.randint(0, 17, (3, 8, 8, 1)).float()).backward(torch.randn(3, 10))
    counts = [max(len(sample.unique()) for sample in y.grad) for y in outputs if y.grad is not None]
    assert counts == [4, 4, 4, 10]


def test_residual_networks_round_the_gradients_of_all_binary_convolutions() -> None:
    network = build_network(
        architecture("resnet20"), shape=(8, 8, 1), lo=0, hi=16, classes=10, method=Dorefa(gradient_bits=3), real=True
    )
    assert {layer.gradient_bits for layer in network.modules() if isinstance(layer, BinaryLayer)} == {3}


@pytest.mark.parametrize("option", ["weight_bits=0", "activation_bits=9", "gradient_bits=9"])
def test_bits_out_of_range_are_refused(option: str) -> None:
    name, least = option.partition("=")[0], 0 if "gradient" in option else 1
    with pytest.raises(ValueError, match=f"^{option} of method 'dorefa' must lie between {least} and 8$"):
        method_named("dorefa", [option])
    assert name

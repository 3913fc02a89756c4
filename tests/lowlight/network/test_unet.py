from itertools import pairwise
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.lowlight.network.unet import AbcLsid, AbcLsidShape
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.methods.abc_conv2d import AbcConv2d, AbcConvTranspose2d

BASES = ((0, 0), (1, 1), (3, 0), (0, 2), (5, 3))


def network(
    weight_bases: int,
    activation_bases: int,
    *,
    width: int = 4,
    transposed: Literal["binary", "real"] = "binary",
) -> AbcLsid:
    """A network with random weights and, where it has any, norms that have seen something, in eval mode."""
    shape = AbcLsidShape(
        width=width, weight_bases=weight_bases, activation_bases=activation_bases, transposed=transposed
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        made = AbcLsid(shape)
        with torch.no_grad():
            for _ in range(5):
                made(torch.rand(2, 4, 64, 64))
    return made.eval()


@pytest.mark.parametrize("transposed", ["binary", "real"])
@pytest.mark.parametrize(("weight_bases", "activation_bases"), BASES)
def test_pictures_have_twice_the_size(
    weight_bases: int, activation_bases: int, transposed: Literal["binary", "real"]
) -> None:
    made = network(weight_bases, activation_bases, transposed=transposed)
    assert made(torch.rand(2, 4, 32, 48)).shape == (2, 3, 64, 96)
    made(torch.rand(1, 4, 16, 16)).sum().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


def test_layers_are_those_of_the_article() -> None:
    made = AbcLsid(AbcLsidShape(width=32, weight_bases=3, activation_bases=2))
    convolutions = [layer for layer in made.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels, layer.kernel_size[0]) for layer in convolutions] == [
        (4, 32, 3), (32, 32, 3), (32, 64, 3), (64, 64, 3), (64, 128, 3), (128, 128, 3), (128, 256, 3), (256, 256, 3),
        (256, 512, 3), (512, 512, 3), (512, 256, 3), (256, 256, 3), (256, 128, 3), (128, 128, 3), (128, 64, 3),
        (64, 64, 3), (64, 32, 3), (32, 32, 3), (32, 12, 1),
    ]  # fmt: skip
    assert [isinstance(layer, AbcConv2d) for layer in convolutions] == [False, *[True] * 17, False]
    assert {layer.bases for layer in convolutions if isinstance(layer, AbcConv2d)} == {3}
    transposed = [layer for layer in made.modules() if isinstance(layer, AbcConvTranspose2d)]
    assert [(layer.in_channels, layer.out_channels, layer.bases) for layer in transposed] == [
        (512, 256, 3), (256, 128, 3), (128, 64, 3), (64, 32, 3)
    ]  # fmt: skip
    activations = [layer for layer in made.modules() if isinstance(layer, BinaryBases)]
    assert [len(layer.shift) for layer in activations] == [2] * 21
    assert all(isinstance(before, nn.BatchNorm2d) for before, after in pairwise(made.modules()) if after in activations)


def test_transposed_convolutions_may_stay_real() -> None:
    made = network(3, 2, transposed="real")
    transposed = [layer for layer in made.modules() if isinstance(layer, AbcConvTranspose2d)]
    assert [layer.bases for layer in transposed] == [0] * 4
    assert all(len(block) == 1 for block in made.up.children() if isinstance(block, nn.Sequential))  # no norm, no sign
    assert {layer.bases for layer in made.modules() if isinstance(layer, AbcConv2d)} == {3}


def test_binary_layers_see_few_values() -> None:
    made = network(2, 3)
    seen: list[int] = []
    for layer in made.modules():
        if isinstance(layer, AbcConv2d | AbcConvTranspose2d):
            layer.register_forward_hook(lambda _, inputs, output: seen.append(len(inputs[0].unique())))
    made(torch.rand(1, 4, 32, 32))
    assert len(seen) == 21
    assert max(seen) <= 4


@pytest.mark.parametrize(("levels", "exactly"), [(2, 10), (3, 22), (5, 94)])
@pytest.mark.parametrize("last", [False, True])
def test_nothing_beyond_the_halo_matters(levels: int, exactly: int, last: bool) -> None:
    made = AbcLsid(AbcLsidShape(width=1, levels=levels, weight_bases=0, activation_bases=0)).double()
    block, halo = made.shape.block, made.shape.halo
    for name, parameter in made.named_parameters():  # nothing cancels out, and nothing is cut by a pooling
        nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 0.2)
    size = 2 * halo + block
    place = last * (block - 1)
    row = column = halo + place
    x = torch.rand(1, 4, size, size, dtype=torch.float64).requires_grad_()
    reach = torch.zeros(size, dtype=torch.bool)
    for _ in range(3):  # the gradient passes the greatest pixel of a pooling only
        with torch.no_grad():
            x.uniform_()
        x.grad = None
        made(x)[0, :, 2 * row, 2 * column].sum().backward()
        assert x.grad is not None
        reach |= x.grad[0].abs().amax(dim=(0, 1)) > 0
    places = reach.nonzero().flatten() - column
    farthest = max(-int(places[0]) - place, int(places[-1]) - (block - 1 - place))
    assert 0.75 * exactly < farthest <= exactly <= halo


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"width": 0}, "width=0 must be an integer from 1 to 128"),
        ({"levels": 1}, "levels=1 must be an integer from 2 to 5"),
        ({"weight_bases": 9}, "weight_bases=9 must be an integer from 0 to 8"),
        ({"activation_bases": -1}, "activation_bases=-1 must be an integer from 0 to 8"),
        ({"transposed": "none"}, "transposed='none' must be 'binary' or 'real'"),
        ({"width": 8.0}, r"width=8\.0 must be an integer from 1 to 128"),
    ],
)
def test_shapes_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        AbcLsidShape(**fields)


def test_rows_of_the_last_layer_in_the_articles_order_give_the_articles_picture() -> None:
    """TensorFlow's depth_to_space takes row (2i + j) * 3 + c for colour c of pixel (i, j), torch's c * 4 + 2i + j."""
    made = network(0, 0)
    theirs = torch.randn(12, 4, 1, 1)
    made.head.weight.data = theirs.view(2, 2, 3, 4, 1, 1).permute(2, 0, 1, 3, 4, 5).reshape(12, 4, 1, 1)
    assert made.head.bias is not None
    made.head.bias.data.zero_()
    x = torch.rand(1, 4, 16, 16)
    inner: list[Tensor] = []
    made.head.register_forward_pre_hook(lambda _head, inputs: inner.append(inputs[0]))
    picture = made(x)
    twelve = functional.conv2d(inner[0], theirs).permute(0, 2, 3, 1)
    expected = twelve.reshape(1, 16, 16, 2, 2, 3).permute(0, 5, 1, 3, 2, 4).reshape(1, 3, 32, 32)
    torch.testing.assert_close(picture, expected)

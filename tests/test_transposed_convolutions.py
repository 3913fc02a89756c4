"""Transposed convolutions from torch to the RTL: kernels, strides, borders, weights; several foldings, stalls."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.ir.ops import BinaryConv2d as ConvOp
from bnnhw.compiler.ir.ops import Crop, DepthToSpace
from bnnhw.model import BinaryConv2d, BinaryConvTranspose2d, InputThreshold, Quantise, Sign, ToChannelsFirst
from bnnhw.model.export.save_model import save
from bnnhw.model.layers.integer_weights import IntegerWeights
from bnnhw.model.layers.ternary import TernaryWeights
from bnnhw.model.layers.weights import GivenWeights, WeightQuantiser
from bnnhw.model.methods.abc_net import AbcWeights
from bnnhw.model.registry import InARow, to_op

from .core_rtl import check_rtl, folded
from .test_convolutions import check_equal, images_of, network, op_names
from .test_trained_to_integers import shake

WEIGHTS: dict[str, Any] = {
    "signs": lambda: None,
    "ternary": TernaryWeights,
    "of 3 bits": lambda: IntegerWeights(3),
    "of 2 bases": lambda: AbcWeights(2, factor_bits=4),
}


def transposed(
    outputs: int, kernel: Any, *, weights: WeightQuantiser | None = None, **options: Any
) -> BinaryConvTranspose2d:
    return BinaryConvTranspose2d(4, outputs, kernel, weights=weights, **options)


@settings(deadline=None, max_examples=8)
@given(
    seed=st.integers(0, 2**16),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 4)),
    stride=st.integers(1, 3),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 2)),
    more=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 5)),
    inputs=st.sampled_from(["binary", "8 bits", "2 bits"]),
    weights=st.sampled_from(list(WEIGHTS)),
    scale=st.booleans(),
)
def test_every_transposed_convolution(
    tmp_path_factory, seed, kernel, stride, padding, more, size, inputs, weights, scale
):  # fmt: skip
    lengths = [(n - 1) * stride - 2 * p + k + o for n, k, p, o in zip(size, kernel, padding, more, strict=True)]
    assume(max(more) < stride and min(lengths) >= 1)
    before = [BinaryConv2d(4, 4, 1), nn.BatchNorm2d(4), Quantise(2)] if inputs == "2 bits" else []
    layer = transposed(
        3, kernel, stride=stride, padding=padding, output_padding=more, weights=WEIGHTS[weights](), scale=scale,
        bias=scale,
    )  # fmt: skip
    shape = (*size, 4)
    module = network(*before, layer, nn.BatchNorm2d(3), Sign(), shape=shape, binary=inputs == "binary")
    check_equal(shake(module, seed=seed), images_of(shape), tmp_path_factory.mktemp("model"))


def test_the_sums_are_torchs():
    layer = BinaryConvTranspose2d(3, 5, (3, 4), stride=2, padding=(1, 0), output_padding=(1, 0), bias=True).eval()
    other = nn.ConvTranspose2d(3, 5, (3, 4), stride=2, padding=(1, 0), output_padding=(1, 0))
    with torch.no_grad():
        assert layer.bias is not None
        layer.bias.normal_()
        other.weight.copy_(layer.quantised().values.transpose(0, 1))
    x = torch.randint(-9, 10, (2, 3, 4, 5)).float()
    expected = functional.conv_transpose2d(x, other.weight, None, 2, (1, 0), (1, 0)) + layer.bias.view(-1, 1, 1)
    assert torch.equal(layer(x), expected)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_ops_are_the_layer(stride: int, weights: str):
    """Of every kernel of 1 to 4 rows, and paddings that differ from rows to columns."""
    x = np.random.default_rng(stride).integers(-9, 10, (2, 3, 4, 4))
    for rows, padding, more in product(range(1, 5), range(3), range(stride)):
        options = {"padding": (padding, 1), "output_padding": (more, 0)}
        layer = transposed(3, (rows, 4), stride=stride, weights=WEIGHTS[weights](), **options).eval()
        if 2 * stride + rows + more <= 2 * padding:
            continue
        made = x
        for op in ops_of(layer).values():
            made = op.reference(made)
        expected = layer(torch.from_numpy(x).movedim(-1, 1).float()).movedim(1, -1)
        np.testing.assert_array_equal(made, expected.detach().numpy())


def ops_of(layer: BinaryConvTranspose2d) -> dict[str, Any]:
    row = to_op("up", layer)
    assert isinstance(row, InARow)
    return dict(row.ops)


@pytest.mark.parametrize(
    ("options", "taps", "padding", "is_binary", "behind"),
    [
        ({"kernel_size": 2, "stride": 2}, (1, 1), (0, 0), True, [DepthToSpace(2)]),
        ({"kernel_size": 4, "stride": 2, "padding": 1}, (2, 2), (1, 1), True, [DepthToSpace(2), Crop((1, 1), (1, 1))]),
        (
            {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, (2, 2), (1, 1), False,
            [DepthToSpace(2), Crop((1, 1), (1, 1))],
        ),
        ({"kernel_size": 4, "stride": 2, "padding": 2}, (2, 2), (0, 0), True, [DepthToSpace(2)]),
        ({"kernel_size": 3, "stride": 1, "padding": 1}, (3, 3), (1, 1), True, []),
        ({"kernel_size": (1, 4), "stride": 2}, (1, 2), (0, 1), False, [DepthToSpace(2), Crop((0, 0), (1, 0))]),
    ],
)  # fmt: skip
def test_what_it_is(options: dict[str, Any], taps: Any, padding: Any, is_binary: bool, behind: list[Any]):
    """Weights stay +-1 where the stride divides the kernel, and no block is made that is left out as a whole."""
    conv, *others = ops_of(BinaryConvTranspose2d(2, 3, **options)).values()
    assert isinstance(conv, ConvOp)
    assert (conv.conv.kernel, conv.conv.padding, conv.conv.is_binary) == (taps, padding, is_binary)
    assert len(conv.weights) == 3 * options["stride"] ** 2
    assert others == behind


SHAPE = (3, 4, 4)
LAYERS: dict[str, BinaryConvTranspose2d] = {
    "2x2": transposed(3, 2, stride=2),
    "4x4": transposed(3, 4, stride=2, padding=1),
    "3x3": transposed(3, 3, stride=2, padding=1, output_padding=1),
    "5x3 by 3": transposed(2, (5, 3), stride=3, padding=(2, 0), weights=GivenWeights(2)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_in_hardware(name: str, tmp_path: Path):
    """Images of sums, as torch has them."""
    layer, images = LAYERS[name], images_of(SHAPE, 6)
    if isinstance(layer.quantiser, GivenWeights):
        layer.weight.data = torch.randint(-3, 4, layer.weight.shape).float()
    module = nn.Sequential(InputThreshold(128), ToChannelsFirst(), layer).eval()
    save(module, tmp_path / "model.pt", example_input=images)
    graph = integerize(load(tmp_path / "model.pt"), check=True)
    with torch.inference_mode():
        expected = module(torch.from_numpy(images).float()).movedim(1, -1).numpy()
    (found,) = evaluate(graph, {"input": images}).values()
    np.testing.assert_array_equal(found, expected)
    check_rtl(folded(graph, most=2, hardwired=False), graph, images, stalls=(0.3, 0.3))
    check_rtl(folded(graph, most=8, hardwired=True), graph, images, stalls=(0.0, 0.0))


def test_the_thresholds_stand_before_the_blocks(tmp_path: Path):
    module = network(LAYERS["4x4"], nn.BatchNorm2d(3), Sign(), shape=SHAPE)
    names = op_names(check_equal(shake(module, seed=5), images_of(SHAPE), tmp_path))
    assert names[1 : names.index("Flatten")] == ["Conv", "Threshold", "DepthToSpace", "Crop"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, r"^stride=0 must be at least 1$"),
        ({"padding": (0, -1)}, r"^padding=\(0, -1\) must be at least 0$"),
        ({"stride": 2, "output_padding": 2}, r"^output_padding=2 must be at least 0 and less than stride=2$"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        BinaryConvTranspose2d(4, 4, 3, **options)


def test_other_inputs_are_refused():
    with pytest.raises(ValueError, match=r"^BinaryConvTranspose2d takes \(N, 4, H, W\), not \(1, 3, 2, 2\); where"):
        BinaryConvTranspose2d(4, 4, 3)(torch.zeros(1, 3, 2, 2))


def test_repr():
    layer = BinaryConvTranspose2d(4, 8, 3, stride=2)
    assert repr(layer).startswith(
        "BinaryConvTranspose2d(\n  4, 8, (3, 3), stride=2, padding=(0, 0), output_padding=(0, 0), scale=False"
    )


def test_it_learns():
    """Gradients reach the latent weights, and they stay within +-1."""
    layer = BinaryConvTranspose2d(2, 3, 2, stride=2)
    layer(torch.ones(1, 2, 2, 2)).square().sum().backward()
    assert layer.weight.grad is not None
    assert np.isfinite(layer.weight.grad.numpy()).all()
    assert layer.weight.grad.abs().sum() > 0

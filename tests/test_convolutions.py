"""Convolutional networks from torch to integers: every layer, border, stride, group and order, bit for bit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from bnnhw.compiler import Graph, IntType, TensorType, Value, evaluate, integerize, load
from bnnhw.compiler.frontends.model_file import to_plain
from bnnhw.compiler.ir.ops import AveragePool, Conv, MaxPool, MultiThreshold, SumPool, Threshold
from bnnhw.compiler.ir.ops.windows import extent
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.model import (
    BinaryConv2d,
    BinaryLinear,
    InputThreshold,
    Quantise,
    Sign,
    TensorNorm,
    ToChannelsFirst,
    ToChannelsLast,
)
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.model.export.tracing import INPUT, layers_called, trace

from .test_trained_to_integers import shake

CHANNELS = 4
Images = np.ndarray


def network(*layers: nn.Module, shape: tuple[int, int, int], binary: bool = True) -> nn.Sequential:
    """The layers on images of `shape`, channels first, then a dense layer with 5 scores."""
    first = [InputThreshold(128)] if binary else []
    body = nn.Sequential(*first, ToChannelsFirst(), *layers)
    features = body.eval()(torch.zeros(1, *shape)).numel()
    return nn.Sequential(body, nn.Flatten(), BinaryLinear(features, 5), TensorNorm())


def images_of(shape: tuple[int, int, int], count: int = 12) -> Images:
    return np.random.default_rng(3).integers(0, 256, (count, *shape)).astype(np.uint8)


def check_equal(module: nn.Module, images: Images, folder: Path, *, output: str = "label") -> Graph:
    """torch = the reloaded module = the trained graph = the integer graph = packed bits; returns the integer graph."""
    save(module, folder / "model.pt", example_input=images, input_range=(0, 255))
    with torch.inference_mode():
        scores = module(torch.from_numpy(images).float()).numpy()
    trained = load(folder / "model.pt")
    (traced,) = evaluate(trained, {"input": images}).values()
    np.testing.assert_array_equal(traced, scores)
    integers = integerize(trained, check=True)
    (labels,) = evaluate(integers, {"input": images}).values()
    np.testing.assert_array_equal(labels, scores.argmax(axis=1))
    np.testing.assert_array_equal(PackedKernel(integers, threads=1)(images), labels)
    return integers


def op_names(graph: Graph) -> list[str]:
    return [type(node.op).__name__ for node in graph.nodes]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    pad_value=st.sampled_from([-1, 0, 1]),
    groups=st.sampled_from([1, 2, 4]),
    dilation=st.sampled_from([(1, 1), (2, 2), (1, 2)]),
    size=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    inputs=st.sampled_from(["binary", "8 bits", "2 bits"]),
    scale=st.booleans(),
)
def test_every_convolution(
    tmp_path_factory, seed, kernel, stride, padding, pad_value, groups, dilation, size, inputs, scale
):  # fmt: skip
    spans = extent(kernel, dilation)
    assume(all(span <= length + 2 * pad for span, length, pad in zip(spans, size, padding, strict=True)))
    options = {"stride": stride, "padding": padding, "pad_value": pad_value, "groups": groups, "dilation": dilation}
    before = [BinaryConv2d(CHANNELS, CHANNELS, 1), nn.BatchNorm2d(CHANNELS), Quantise(2)] if inputs == "2 bits" else []
    layer = BinaryConv2d(CHANNELS, 8, kernel, **options, scale=scale, bias=scale)
    shape = (*size, CHANNELS)
    module = network(*before, layer, nn.BatchNorm2d(8), Sign(), shape=shape, binary=inputs == "binary")
    check_equal(shake(module, seed=seed), images_of(shape), tmp_path_factory.mktemp("model"))


def norm() -> nn.Module:
    return nn.BatchNorm2d(CHANNELS)


ORDERS: dict[str, Callable[[nn.Module], list[nn.Module]]] = {
    "before the norm": lambda pool: [pool, norm(), Sign()],
    "after the norm": lambda pool: [norm(), pool, Sign()],
    "between activations": lambda pool: [norm(), nn.Hardtanh(), pool, norm(), Sign()],
    "after the sign": lambda pool: [norm(), Sign(), pool],
    "after several bits": lambda pool: [norm(), Quantise(3), pool],
    "before several bits": lambda pool: [pool, norm(), Quantise(3)],
    "twice": lambda pool: [nn.MaxPool2d(2, 1), norm(), pool, norm(), Sign()],
}


@pytest.mark.parametrize("window", [2, (1, 3)], ids=["2x2", "1x3"])
@pytest.mark.parametrize("stride", [None, 1, (2, 1)])
@pytest.mark.parametrize("order", ORDERS)
def test_every_max_pooling(tmp_path, order, stride, window):
    layers = ORDERS[order](nn.MaxPool2d(window, stride))
    module = network(BinaryConv2d(3, CHANNELS, 3, padding=1, pad_value=-1), *layers, shape=(6, 7, 3))
    graph = check_equal(shake(module, seed=11), images_of((6, 7, 3)), tmp_path)
    names = op_names(graph)
    expected = ["MultiThreshold" if "several" in order else "Threshold", *["MaxPool"] * (1 + (order == "twice"))]
    assert names[names.index("Conv") + 1 : names.index("Flatten")] == expected


@pytest.mark.parametrize("order", ["before the norm", "after the sign"])
def test_a_max_pooling_beyond_the_image(tmp_path, order):
    layers = ORDERS[order](nn.MaxPool2d(3, 2, padding=1))
    module = network(BinaryConv2d(3, CHANNELS, 3, padding=1, pad_value=-1), *layers, shape=(6, 7, 3))
    names = op_names(check_equal(shake(module, seed=11), images_of((6, 7, 3)), tmp_path))
    assert names[names.index("Conv") + 1 : names.index("Flatten")] == ["Threshold", "MaxPool"]


def test_a_falling_channel_takes_the_least_sum(tmp_path):
    layers = [BinaryConv2d(3, CHANNELS, 3), nn.MaxPool2d(2), norm(), Sign()]
    module = shake(network(*layers, shape=(6, 6, 3)), seed=5)
    norm_weight = module.get_submodule("0.4").weight
    with torch.no_grad():
        norm_weight.copy_(torch.tensor([1.0, -1.0, 0.5, -2.0]))  # pyright: ignore[reportCallIssue]
    (pool,) = (node.op for node in check_equal(module, images_of((6, 6, 3)), tmp_path).nodes if "Pool" in str(node.op))
    assert isinstance(pool, MaxPool)
    assert pool.minimum is not None
    assert pool.minimum.tolist() == [False, True, False, True]


AVERAGES: dict[str, tuple[list[nn.Module], list[str]]] = {
    "of sums": ([nn.AvgPool2d(2), norm(), Sign()], ["SumPool", "Threshold"]),
    "of sums, nine": ([nn.AvgPool2d(3), norm(), Sign()], ["SumPool", "Threshold"]),
    "of sums, overlapping": ([nn.AvgPool2d((3, 2), 1), norm(), Quantise(2)], ["SumPool", "MultiThreshold"]),
    "of signs": ([norm(), Sign(), nn.AvgPool2d(2)], ["Threshold", "SumPool"]),
    "of several bits": ([norm(), Quantise(2), nn.AvgPool2d(2)], ["MultiThreshold", "SumPool"]),
    "of the whole": ([nn.AdaptiveAvgPool2d(1), norm(), Sign()], ["SumPool", "Threshold"]),
    "of the whole, signs": ([norm(), Sign(), nn.AvgPool2d(4)], ["Threshold", "SumPool"]),
    "then the greatest": ([norm(), Sign(), nn.AvgPool2d(2, 1), nn.MaxPool2d(2)], ["Threshold", "SumPool", "MaxPool"]),
    "then a layer": (
        [norm(), Sign(), nn.AvgPool2d(2), BinaryConv2d(CHANNELS, CHANNELS, 2, scale=True), norm(), Sign()],
        ["Threshold", "SumPool", "Conv", "Threshold"],
    ),
}


@pytest.mark.parametrize("case", AVERAGES)
def test_every_average_pooling(tmp_path, case):
    layers, expected = AVERAGES[case]
    module = network(BinaryConv2d(2, CHANNELS, 3), *layers, shape=(6, 6, 2))
    names = op_names(check_equal(shake(module, seed=2), images_of((6, 6, 2)), tmp_path))
    assert names[names.index("Conv") + 1 : names.index("Flatten")] == expected


def test_scores_may_be_averages(tmp_path):
    layers = [BinaryConv2d(2, 5, 3, padding=1, scale=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(5)]
    module = shake(nn.Sequential(ToChannelsFirst(), *layers), seed=4)
    assert op_names(check_equal(module, images_of((5, 4, 2)), tmp_path)) == [
        "Conv", "SumPool", "Flatten", "ScoreTable", "ArgMax",
    ]  # fmt: skip


def test_a_norm_before_the_flatten_of_a_pixel(tmp_path):
    layers = [BinaryConv2d(2, 5, (5, 4)), nn.BatchNorm2d(5), nn.Flatten()]
    module = shake(nn.Sequential(ToChannelsFirst(), *layers), seed=4)
    check_equal(module, images_of((5, 4, 2)), tmp_path)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("last", [True, False])
def test_flattened_images_lie_in_raster_order(tmp_path, last, norm_first):
    """The order of features that was trained may be torch's, channel slowest; the file's is the stream's."""
    body = [BinaryConv2d(3, CHANNELS, 2), *([ToChannelsLast()] if last else []), nn.Flatten()]
    between = [nn.BatchNorm1d(48), Sign()] if norm_first else [Sign()]
    head = [BinaryLinear(48, 5, bias=True), TensorNorm()]
    module = shake(nn.Sequential(InputThreshold(99.5), ToChannelsFirst(), *body, *between, *head), seed=9)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.weight.data.abs_()  # a feature of a flattened image has no row of weights that could be inverted
    images = images_of((5, 4, 3))
    save(module, tmp_path / "model.pt", example_input=images)
    (scores,) = evaluate(load(tmp_path / "model.pt"), {"input": images}).values()
    with torch.inference_mode():
        np.testing.assert_array_equal(scores, module(torch.from_numpy(images).float()).numpy())


@pytest.mark.parametrize("pad_value", [-1, 0, 1])
@pytest.mark.parametrize("first", [Sign(), Quantise(2)], ids=repr)
def test_padded_averages(tmp_path, first, pad_value):
    """A padded average of n values is their padded sum, the padding times n, over n."""
    padded = [nn.AvgPool2d(2), BinaryConv2d(CHANNELS, 3, 3, padding=1, pad_value=pad_value), nn.BatchNorm2d(3), Sign()]
    module = network(BinaryConv2d(2, CHANNELS, 3), norm(), first, *padded, shape=(8, 8, 2))
    check_equal(shake(module, seed=2), images_of((8, 8, 2)), tmp_path)


REFUSED: dict[str, tuple[list[nn.Module], str]] = {
    "an average that is rounded": (
        [norm(), Sign(), nn.AvgPool2d(3), ToChannelsLast()],
        r"^node '2' \(BinaryLinear\): reads float values; .* averages before a layer, one at most, must be of a power",
    ),
    "an average of floats": (
        [norm(), nn.AvgPool2d(2), Sign()],
        r"^layer '0.4' averages values that are no integers; put it directly behind a layer with binary weights",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exact_is_refused(tmp_path, case):
    layers, message = REFUSED[case]
    module = shake(network(BinaryConv2d(2, CHANNELS, 3), *layers, shape=(8, 8, 2)), seed=2)
    with pytest.raises(ExportError, match=message):
        save(module, tmp_path / "model.pt", example_input=images_of((8, 8, 2)))
    nodes, (scores,) = layers_called(trace(module), torch.from_numpy(images_of((8, 8, 2))).float())
    value = Value(INPUT, TensorType((8, 8, 2), IntType(0, 255)))
    elsewhere = Graph((value,), nodes, (scores.value,), {"classes": [str(label) for label in range(5)]})
    torch.save(to_plain(elsewhere), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"averages"):
        integerize(load(tmp_path / "model.pt"))


def test_an_average_rounds_as_torch_does():
    """Sums of up to 49 integers, every one of them, in both memory orders."""
    sums = np.arange(-3000, 3001)
    for count, kernel in ((49, (7, 7)), (6, (2, 3)), (3, (1, 3))):
        values = np.zeros((len(sums), *kernel, 1), np.int64)
        values[:, 0, 0, 0] = sums
        (height, width), image = kernel, torch.from_numpy(values).float().permute(0, 3, 1, 2)
        expected = (sums.astype(np.float32) / np.float32(count)).tolist()
        for memory in (torch.contiguous_format, torch.channels_last):
            assert nn.AvgPool2d((height, width))(image.contiguous(memory_format=memory)).flatten().tolist() == expected
        assert AveragePool(kernel, kernel).reference(values).ravel().tolist() == expected
        assert AveragePool().reference(values).ravel().tolist() == expected


def test_the_integer_graph_holds_nothing_else(tmp_path):
    layers = [BinaryConv2d(3, CHANNELS, 3), nn.MaxPool2d(2), norm(), Quantise(2)]
    module = network(*layers, shape=(6, 6, 3), binary=False)
    kinds = {type(node.op) for node in check_equal(shake(module, seed=1), images_of((6, 6, 3)), tmp_path).nodes}
    assert {Conv, MultiThreshold, MaxPool} <= kinds
    assert not kinds & {SumPool, Threshold}

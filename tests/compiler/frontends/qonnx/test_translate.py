"""Each node with a place computes what qonnx says; each without one is refused by its name, op and remedy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.frontends.qonnx.agreement import agreement, sample_images
from bnnhw.compiler.frontends.qonnx.inputs import InputOptions
from bnnhw.compiler.frontends.qonnx.read import read
from bnnhw.compiler.frontends.qonnx.translate import Translation, translate
from bnnhw.compiler.passes.integerize import integerize

from .networks import Network, two_layers

Make = Callable[[Network], object]
GENERATOR = np.random.default_rng(7)
IMAGE = (3, 8, 8)


def weights(*shape: int) -> np.ndarray:
    return GENERATOR.integers(-3, 4, shape).astype(np.float64)


def kernel(network: Network, *shape: int, scale: float = 0.5) -> str:
    return network.weights(scale * weights(*shape), scale)


def image_network(*middle: Make) -> Network:
    """A convolution, what is tried, a quantiser where there is none, a linear layer."""
    network = Network(*IMAGE)
    network.quant(0.25, 4)
    network.node("Conv", kernel(network, 6, 3, 3, 3), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    for make in middle:
        make(network)
    return network


def ended(network: Network, features: int) -> Network:
    network.node("Flatten")
    network.node("MatMul", weights(features, 3))
    return network


def translated(network: Network, folder: Path) -> Translation:
    model = read(network.write(folder))
    translation = translate(model, InputOptions())
    integerize(translation.graph, check=True)
    found = agreement(model, translation, sample_images(translation.graph, 6))
    assert found.integers
    assert found.ties == ()
    return translation


def quant(bits: int = 3, **options) -> Make:
    return lambda network: network.quant(0.5, bits, **options)


def node(op: str, *more, **attributes) -> Make:
    return lambda network: network.node(op, *more, **attributes)


def norm(network: Network) -> None:
    network.batch_norm(6)


def by_channel(values: np.ndarray) -> np.ndarray:
    return values.reshape(1, -1, 1, 1)


def conv(rows: int, columns: int, size: int = 3, **attributes) -> Make:
    def make(network: Network) -> None:
        network.node("Conv", kernel(network, rows, columns, size, size), kernel_shape=[size, size], **attributes)

    return make


def shared_add(network: Network) -> None:
    network.batch_norm(6)
    one = network.quant(0.5, 3)
    conv(6, 6, pads=[1, 1, 1, 1])(network)
    network.node("Add", reads=[one, network.quant(0.5, 3)])


def concat_with_pool(network: Network) -> None:
    one = network.quant(0.5, 3)
    network.node("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    network.node("Concat", reads=[one, network.last], axis=1)


def add_sums(network: Network) -> None:
    one = network.quant(0.5, 3)
    a = network.node("Conv", kernel(network, 6, 6, 1, 1), reads=one, kernel_shape=[1, 1])
    b = network.node("Conv", kernel(network, 6, 6, 1, 1), reads=one, kernel_shape=[1, 1])
    network.node("Add", reads=[a, b])
    network.quant(2.0, 3)


def multi_threshold(channels: int, levels: int, **attributes) -> Make:
    table = np.sort(GENERATOR.normal(size=(channels, levels)) * 3, axis=1)
    return node("MultiThreshold", table, out_dtype="INT8", **attributes)


def truncated(scale: float, out_scale: float, zero_point: float = 0.0) -> Make:
    return lambda network: network.node(
        "Trunc", scale, zero_point, 8.0, out_scale, 3.0, signed=1, narrow=0, rounding_mode="FLOOR"
    )


MIDDLES: dict[str, tuple[list[Make], int]] = {
    "signs": ([norm, node("BipolarQuant", 0.75)], 384),
    "signed": ([norm, quant(4)], 384),
    "narrow": ([norm, quant(2, narrow=1)], 384),
    "unsigned": ([norm, node("Relu"), quant(2, signed=0)], 384),
    "one bit, signed": ([norm, quant(1)], 384),
    "one bit, unsigned": ([norm, quant(1, signed=0)], 384),
    "zero point": ([norm, quant(3, signed=0, zero_point=2.0)], 384),
    "twice the same": ([norm, quant(), quant()], 384),
    "of integers": ([norm, quant(4), node("Relu"), node("Mul", np.float32(0.7)), quant(2)], 384),
    "leaking": ([norm, node("LeakyRelu", alpha=0.3), quant(4)], 384),
    "leaking by channel": ([norm, node("PRelu", np.linspace(0, 0.5, 6).reshape(6, 1, 1)), quant(4)], 384),
    "clipped": ([norm, node("Clip", np.float32(-1), np.float32(1)), quant(4)], 384),
    "clipped below": ([norm, node("Clip", np.float32(0)), quant(4)], 384),
    "factors of channels": ([node("Mul", by_channel(np.array([1, -2, 3, 0.5, -0.1, 0.3]))), quant(4)], 384),
    "divisors of channels": ([node("Div", by_channel(np.array([1, 2, 4, 0.5, -8, 0.25]))), quant(4)], 384),
    "offsets of channels": ([node("Add", by_channel(np.linspace(-3, 3, 6))), quant(4)], 384),
    "less a number": ([node("Sub", np.float32(1.5)), quant(4)], 384),
    "negated": ([node("Neg"), quant(4)], 384),
    "pooled before": ([node("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), norm, quant()], 96),
    "pooled behind": ([norm, quant(), node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])], 96),
    "averages": ([norm, quant(), node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])], 96),
    "averages of 9": ([norm, quant(), node("AveragePool", kernel_shape=[3, 3], strides=[3, 3])], 24),
    "averages of all": ([norm, quant(), node("GlobalAveragePool")], 6),
    "means": ([norm, quant(), node("ReduceMean", axes=[2, 3], keepdims=1)], 6),
    "means of vectors": ([norm, quant(), node("ReduceMean", axes=[2, 3], keepdims=0)], 6),
    "averages of sums": ([node("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), norm, quant()], 96),
    "depthwise": ([norm, quant(), conv(6, 1, group=6), norm, quant()], 216),
    "strides": ([norm, quant(), conv(4, 6, strides=[2, 2], pads=[1, 1, 1, 1]), quant()], 64),
    "dilations": ([norm, quant(), conv(4, 6, dilations=[2, 2]), quant()], 64),
    "padded before": ([quant(), node("Pad", np.array([0, 0, 1, 2, 0, 0, 1, 2])), conv(4, 6), quant()], 320),
    "truncated": ([norm, quant(), node("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), truncated(0.125, 0.5)], 96),
    "truncated to the same": ([norm, quant(), truncated(0.5, 0.5)], 384),
    "more channels": ([quant(), node("Pad", np.array([0, 1, 0, 0, 0, 2, 0, 0])), conv(4, 9), quant()], 144),
    "channels and borders": ([quant(), node("Pad", np.array([0, 0, 1, 1, 0, 2, 1, 1])), conv(4, 8), quant()], 256),
    "more features": ([norm, quant(), node("Flatten"), node("Pad", np.array([0, 3, 0, 13]))], 400),
    "added": ([shared_add], 384),
    "joined": ([concat_with_pool], 768),
    "sums added": ([add_sums], 384),
    "resized": ([norm, quant(), node("Resize", "", np.array([1, 1, 2, 2], np.float32), mode="nearest",
                                     coordinate_transformation_mode="asymmetric", nearest_mode="floor")], 1536),
    "thresholds": ([norm, multi_threshold(6, 5)], 384),
    "thresholds of sums": ([multi_threshold(6, 3, out_scale=0.5, out_bias=-1.0)], 384),
    "thresholds for all": ([norm, multi_threshold(1, 7, out_scale=2.0)], 384),
    "thresholds to signs": ([norm, multi_threshold(6, 1, out_scale=2.0, out_bias=-1.0)], 384),
    "thresholds before a pool": ([multi_threshold(6, 3), node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])], 96),
    "thresholds, channels last": ([node("Transpose", perm=[0, 2, 3, 1]), multi_threshold(6, 3, data_layout="NHWC"),
                                   node("Transpose", perm=[0, 3, 1, 2])], 384),
    "turned twice": ([norm, node("Transpose", perm=[0, 2, 3, 1]), quant(), node("Transpose", perm=[0, 3, 1, 2])], 384),
    "channels last": ([norm, quant(), node("Transpose", perm=[0, 2, 3, 1])], 384),
    "reshaped": ([norm, quant(), node("Reshape", np.array([1, -1]))], 384),
}  # fmt: skip


@pytest.mark.parametrize("name", MIDDLES)
def test_computes_what_qonnx_computes(name: str, tmp_path: Path):
    middle, features = MIDDLES[name]
    translated(ended(image_network(*middle), features), tmp_path)


def test_features_behind_a_flatten_have_the_files_order(tmp_path: Path):
    """Batch norm, factors and weights of each feature."""
    network = image_network(norm, quant(), node("Flatten"))
    network.node("Mul", np.linspace(0.1, 3, 384).reshape(1, 384))
    network.batch_norm(384)
    network.quant(0.5, 3)
    translated(ended(network, 384), tmp_path)


def test_thresholds_of_features_behind_a_flatten(tmp_path: Path):
    network = image_network(norm, lambda network: network.quant(1.0, 4), node("Flatten"), multi_threshold(384, 3))
    translated(ended(network, 384), tmp_path)


@pytest.mark.parametrize("turned", [0, 1])
def test_gemm(turned: int, tmp_path: Path):
    network = two_layers()
    network.quant(1.0, 4)
    given = weights(4, 5).T if turned else weights(4, 5)
    network.node("Gemm", network.weights(given), np.linspace(-2, 2, 5), transB=turned)
    translated(network, tmp_path)


def test_weights_behind_a_transpose_and_scales_of_rows(tmp_path: Path):
    """As old exports have them."""
    network = two_layers()
    network.quant(1.0, 4)
    before = network.last
    scales = np.array([[0.5], [0.25], [2.0]])
    quantised = network.weights(scales * weights(3, 4), scales)
    turned = network.node("Transpose", reads=quantised, perm=[1, 0])
    network.node("MatMul", reads=[before, turned])
    translation = translated(network, tmp_path)
    assert set(np.unique(translation.graph.nodes[-1].op.weight)) >= {0.25, 2.0}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_bias_behind_sums(tmp_path: Path):
    network = Network(*IMAGE)
    network.quant(0.25, 4)
    network.node("Conv", kernel(network, 6, 3, 3, 3), np.linspace(-1, 1, 6), kernel_shape=[3, 3])
    network.quant(0.5, 3)
    translated(ended(network, 216), tmp_path)


def test_channels_last_at_the_input(tmp_path: Path):
    network = Network(8, 8, 3)
    network.node("Transpose", perm=[0, 3, 1, 2])
    network.quant(0.25, 4)
    network.node("Conv", kernel(network, 6, 3, 3, 3), kernel_shape=[3, 3])
    network.quant(0.5, 3)
    assert translated(ended(network, 216), tmp_path).graph.inputs[0].type.shape == (8, 8, 3)


@pytest.mark.parametrize(("op", "more"), [("Softmax", ()), ("TopK", (np.array([1]),)), ("ArgMax", ())])
def test_drops_what_makes_a_label(op: str, more: tuple, tmp_path: Path):
    network = two_layers()
    network.node(op, *more, axis=1)
    if op == "TopK":
        network.nodes[-1].output.append("indices")
    translation = translated(network, tmp_path)
    assert translation.dropped == (f"{op}_5",)
    assert [tensor for tensor, _ in translation.scores.values()] == ["MatMul_4_out"]


def real_weights(network: Network) -> None:
    network.node("Conv", GENERATOR.normal(size=(6, 6, 1, 1)), kernel_shape=[1, 1])


def unequal_add(network: Network) -> None:
    network.batch_norm(6)
    network.node("Add", reads=[network.quant(0.5, 3), network.quant(0.25, 3)])


def real_add(network: Network) -> None:
    one = network.last
    network.batch_norm(6)
    network.node("Add", reads=[one, network.last])


def wide_weights(network: Network) -> None:
    network.node("Conv", network.weights(np.full((6, 6, 1, 1), 4000.0), bits=16), kernel_shape=[1, 1])


REFUSED: dict[str, tuple[list[Make], str]] = {
    "real weights": ([norm, quant(), real_weights], r"\(Conv\) multiplies by real numbers; quantise its weights"),
    "wide weights": ([norm, quant(), wide_weights], r"\(Conv\) has weights up to 4000; 2048 is the most"),
    "real activations": ([norm, conv(6, 6)], r"\(Conv\) multiplies activations that are real numbers; put a Quant"),
    "unequal scales": ([unequal_add], r"\(Add\) adds integers of unequal scales, 0.5 and 0.25; share one Quant"),
    "real sum": ([real_add], r"\(Add\) adds real numbers; put a Quant behind each of its inputs"),
    "other rounding": ([norm, quant(rounding_mode="FLOOR")], r"\(Quant\) rounds by FLOOR; only ROUND"),
    "many bits": ([norm, quant(9)], r"\(Quant\) has 9 bits; 1 to 8 are supported"),
    "half a bit": ([norm, lambda network: network.quant(0.5, 2.5)], r"\(Quant\) has 2.5 bits"),
    "half a zero point": ([norm, quant(zero_point=0.5)], r"\(Quant\) has the zero point 0.5, which is no integer"),
    "negative scale": ([norm, lambda network: network.quant(-1.0, 3)], r"has the scale -1; it must be pos"),
    "scales of channels": ([norm, lambda network: network.quant(by_channel(np.linspace(1, 2, 6)), 3)],
                           r"\(Quant\) scales its activations by 6 numbers"),
    "other bias": ([multi_threshold(6, 3, out_bias=0.5)], r"\(MultiThreshold\) has out_bias=0.5, which is no mult"),
    "other layout": ([multi_threshold(6, 3, data_layout="NHWC")], r"has the layout NHWC, and its input has"),
    "other clip": ([norm, node("Clip", np.float32(0), np.float32(6)), quant()], r"\(Clip\) clips to 0..6; only"),
    "negative slope": ([norm, node("LeakyRelu", alpha=-0.5), quant()], r"\(LeakyRelu\) cannot be: slope must be at l"),
    "uneven padding": ([norm, quant(), conv(6, 6, pads=[0, 0, 1, 1])], r"pads \(0, 0\) before and \(1, 1\) behind"),
    "pad before a pool": ([norm, quant(), node("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1])),
                           node("MaxPool", kernel_shape=[2, 2])], r"\(MaxPool\) stands behind a Pad; only a Conv may"),
    "truncated steps": ([norm, quant(), truncated(0.25, 1.0)], r"\(Trunc\) truncates other steps"),
    "truncated zero": ([norm, quant(), truncated(0.5, 1.0, 1.0)], r"\(Trunc\) has a zero point"),
    "pad of the batch": ([norm, quant(), node("Pad", np.array([1, 0, 0, 0, 1, 0, 0, 0]))], r"has pads=\[1, 0, 0, 0, 1"),
    "pad at one end": ([norm, quant(), node("Pad", np.array([0, 0, 1, 1, 0, 0, 0, 1]))], "at either end of images"),
    "pad by 1": ([norm, quant(), node("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(1))], "pads by something"),
    "ceil": ([norm, quant(), node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], "has ceil_mode"),
    "wide average": ([norm, quant(), node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])], "has ceil_mode, pa"),
    "other order": ([norm, quant(), node("Transpose", perm=[0, 1, 3, 2])], r"orders the axes \(0, 1, 3, 2\)"),
    "by pixels": ([node("Mul", GENERATOR.normal(size=(1, 1, 8, 8))), quant()], "differs within a channel"),
    "division by 0": ([node("Div", np.float32(0)), quant()], r"\(Div\) divides by 0"),
    "NaN": ([node("Add", np.float32("nan")), quant()], r"\(Add\) has a constant that is NaN or infinite"),
    "square": ([node("Pow", np.float32(2)), quant()], r"\(Pow\) computes with the network's own tensors, for which"),
    "softmax within": ([node("Softmax", axis=1), quant()], r"\(Softmax\) computes with the network's own tensors"),
    "other size": ([norm, quant(), conv(6, 5)], r"\(BinaryConv2d\): reads shape \(8, 8, 6\), but its weights want 5"),
    "other shape": ([norm, quant(), node("Reshape", np.array([1, 12, 4, 8]))], r"gives shape \(1, 12, 4, 8\); only"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_name(name: str, tmp_path: Path):
    middle, message = REFUSED[name]
    with pytest.raises(ModelError, match=message) as refused:
        translate(read(image_network(*middle).write(tmp_path)), InputOptions())
    assert str(refused.value).startswith("node '")
    assert "\n" not in str(refused.value)

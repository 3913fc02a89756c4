"""What integers a network takes, and from what that follows."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.frontends.qonnx.inputs import InputOptions, Meaning
from bnnhw.compiler.frontends.qonnx.read import read
from bnnhw.compiler.frontends.qonnx.translate import translate

from .networks import Network


def meaning(network: Network, folder: Path, options: InputOptions | None = None) -> Meaning:
    return translate(read(network.write(folder)), options or InputOptions()).meaning


def ended(network: Network, features: int = 8) -> Network:
    network.node("MatMul", np.ones((features, 2)))
    return network


def test_signs_take_any_signed_integers(tmp_path: Path):
    network = Network(8)
    network.node("BipolarQuant", 1.0)
    found = meaning(ended(network), tmp_path)
    assert (found.lo, found.hi) == (-128, 127)
    assert "'BipolarQuant_0', to which only signs matter" in found.because


@pytest.mark.parametrize(
    ("bits", "options", "lo", "hi"),
    [(8, {"signed": 0}, 0, 255), (8, {"narrow": 1}, -127, 127), (2, {}, -2, 1), (4, {"signed": 0, "narrow": 1}, 0, 14)],
)
def test_a_quantiser_at_the_input_tells_its_integers(bits, options, lo, hi, tmp_path: Path):
    network = Network(8)
    network.quant(0.25, bits, **options)
    found = meaning(ended(network), tmp_path)
    assert (found.lo, found.hi, found.weight.tolist()) == (lo, hi, [0.25])
    assert "'Quant_0', whose integers they are, each times 0.25" in found.because


@pytest.mark.parametrize(("op", "number"), [("Div", 255.0), ("Mul", 1 / 255)])
def test_a_division_by_255_tells_pixels(op: str, number: float, tmp_path: Path):
    network = Network(8)
    network.node(op, np.float32(number))
    network.node("Sub", np.float32(0.5))
    network.node("BipolarQuant", 1.0)
    found = meaning(ended(network), tmp_path)
    assert (found.lo, found.hi, found.because) == (0, 255, f"node '{op}_0', which divides by 255")


def test_an_annotation_tells_a_type(tmp_path: Path):
    network = Network(8)
    model = ended(network).model()
    entry = helper.make_tensor_value_info("x", 1, None)
    annotation = model.graph.quantization_annotation.add()
    annotation.tensor_name = entry.name
    pair = annotation.quant_parameter_tensor_names.add()
    pair.key, pair.value = "finn_datatype", "UINT4"
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    found = translate(read(path), InputOptions()).meaning
    assert (found.lo, found.hi, found.because) == (0, 15, "the file's annotation, UINT4")


def test_nothing_tells(tmp_path: Path):
    network = Network(8)
    network.node("Mul", np.float32(2))
    network.node("Sub", np.float32(1))
    network.node("BipolarQuant", 1.0)
    with pytest.raises(ModelError, match=r"^input 'x': the file does not say .* give an input range, such as 0,255"):
        meaning(ended(network), tmp_path)


def test_a_given_range_comes_first(tmp_path: Path):
    network = Network(3, 4, 4)
    network.quant(0.25, 4)
    network.node("Flatten")
    options = InputOptions(range=(0, 255), scale=1 / 255, mean=(0.5, 0.25, 0.125), std=(0.5, 1, 2))
    found = meaning(ended(network, 48), tmp_path, options)
    assert (found.lo, found.hi, found.because) == (0, 255, "the given input range")
    pixels = np.full((1, 4, 4, 3), 51)
    expected = (51 / 255 - np.array([0.5, 0.25, 0.125])) / [0.5, 1, 2]
    np.testing.assert_allclose(found.tensor(pixels)[0, 0, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"range": (5, 5)}, r"input_range=\(5, 5\) must rise"),
        ({"range": (0, 2**16)}, r"2\^16 integers at most"),
        ({"range": (0, 9), "scale": 0.0}, r"input_scale=\(0.0,\) must be positive"),
        ({"range": (0, 9), "std": (1.0, -1.0)}, "input_std=.* must be positive"),
        ({"range": (0, 9), "mean": (float("inf"),)}, "input_mean=.* must be finite"),
        ({"scale": 2.0}, "need its input_range, such as 0,255"),
    ],
)
def test_refuses_options(given, message: str):
    with pytest.raises(ValueError, match=message):
        InputOptions(**given)


def test_refuses_means_of_other_channels(tmp_path: Path):
    network = Network(3, 4, 4)
    network.quant(0.25, 4)
    network.node("Flatten")
    options = InputOptions(range=(0, 255), mean=(1.0, 2.0))
    with pytest.raises(ModelError, match="input 'x' has 3 channels; its mean and std are of 2"):
        meaning(ended(network, 48), tmp_path, options)

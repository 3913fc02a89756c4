"""Networks from Brevitas (tools/qonnx_fixtures.py): what they are in qonnx, they are as integers, and in hardware."""

from pathlib import Path

import numpy as np
import pytest

import bnnhw
from bnnhw.compiler.frontends.model_file import load
from tests.compiler.frontends.qonnx.networks import Network

from .files import FIXTURES

NETWORKS = sorted(path.stem for path in FIXTURES.glob("*.onnx"))
IN_HARDWARE = ("fc_w1a1", "fc_normalised", "fc_w2a2")
"""Those that are small enough to be simulated in a second or two."""
LAYERS_IN_HARDWARE = ("residual_w1a1", "unet_w3a3", "signed_w4a4", "depthwise_w4a4")
MANY_SCORES = ("depthwise_w4a4",)
"""The ranks of whose scores no device holds: it tells them as they are."""


def test_there_are_twelve():
    assert len(NETWORKS) == 12


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_file_and_its_integers(name: str, tmp_path: Path):
    imported = bnnhw.import_qonnx(FIXTURES / f"{name}.onnx", tmp_path / "model.pt", images=5)
    assert imported.agreement.integers
    assert imported.agreement.ties == ()
    assert load(tmp_path / "model.pt").meta["qonnx"]["file"] == f"{name}.onnx"
    through = "rtl" if name in IN_HARDWARE else "packed"
    assert bnnhw.verify(tmp_path / "model.pt", through=through, samples=10).is_equal


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS_IN_HARDWARE)
def test_equals_its_hardware(name: str, tmp_path: Path):
    bnnhw.import_qonnx(FIXTURES / f"{name}.onnx", tmp_path / "model.pt", images=100)
    plan = bnnhw.PlanOptions(outputs="scores" if name in MANY_SCORES else "label")
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=10, plan=plan).is_equal


def test_pixels_in_the_place_of_the_files_integers(tmp_path: Path):
    imported = bnnhw.import_qonnx(
        FIXTURES / "conv_w2a2.onnx", tmp_path / "model.pt", images=5, input_range=(0, 255), input_scale=1 / 255,
        input_mean=(0.5, 0.4, 0.3), input_std=(0.25, 0.2, 0.3),
    )  # fmt: skip
    assert imported.agreement.ties == ()
    assert bnnhw.verify(tmp_path / "model.pt", through="packed", samples=10).is_equal


def raw_thresholds() -> Network:
    """As FINN writes them: pixels and sums by thresholds, images channels last at first; names with slashes."""
    generator = np.random.default_rng(0)
    network = Network(8, 8, 3)
    network.node("MultiThreshold", np.array([[0.2, 0.5, 0.7]]), out_dtype="UINT2", data_layout="NHWC")
    network.node("Transpose", perm=[0, 3, 1, 2])
    network.node("Conv", generator.integers(-3, 4, (6, 3, 3, 3)).astype(float), kernel_shape=[3, 3])
    network.node("MultiThreshold", np.sort(generator.normal(size=(6, 3)) * 6), out_dtype="INT3", out_bias=-1.0)
    network.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    network.node("Flatten")
    network.node("MatMul", generator.choice([-1.0, 1.0], (54, 8)))
    one = np.sort(generator.normal(size=(8, 1)) * 6)
    network.node("MultiThreshold", one, out_dtype="BIPOLAR", out_scale=2.0, out_bias=-1.0)
    network.node("MatMul", generator.choice([-1.0, 1.0], (8, 4)))
    for node in network.nodes:
        node.name = f"/model/layers.0/{node.name}::op"
    return network


def test_raw_thresholds_in_hardware(tmp_path: Path):
    source = raw_thresholds().write(tmp_path)
    imported = bnnhw.import_qonnx(source, tmp_path / "model.pt", input_range=(0, 255), input_scale=1 / 255)
    assert imported.agreement.ties == ()
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20).is_equal


def test_means_of_channels_before_the_first_sign_in_hardware(tmp_path: Path):
    generator = np.random.default_rng(1)
    network = Network(3, 6, 6)
    network.node("BipolarQuant", 1.0)
    network.node("Conv", generator.choice([-1.0, 1.0], (6, 3, 3, 3)), kernel_shape=[3, 3])
    network.batch_norm(6)
    network.node("BipolarQuant", 1.0)
    network.node("Flatten")
    network.node("MatMul", generator.choice([-1.0, 1.0], (96, 4)))
    bnnhw.import_qonnx(
        network.write(tmp_path), tmp_path / "model.pt", input_range=(0, 255), input_scale=1 / 255,
        input_mean=(0.5, 0.4, 0.3),
    )  # fmt: skip
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20).is_equal


def test_a_chain_of_scores_has_classes(tmp_path: Path):
    bnnhw.import_qonnx(FIXTURES / "fc_w1a1.onnx", tmp_path / "model.pt", images=1)
    graph = load(tmp_path / "model.pt")
    assert graph.meta["classes"] == [str(label) for label in range(10)]
    assert graph.meta["network"] == "fc_w1a1"


def test_nothing_is_written_over_what_is_no_file(tmp_path: Path):
    with pytest.raises(ValueError, match="is no regular file"):
        bnnhw.import_qonnx(FIXTURES / "fc_w1a1.onnx", tmp_path)

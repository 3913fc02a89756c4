"""Networks from Brevitas (tools/qonnx_fixtures.py): what they are in qonnx, they are as integers, and in hardware."""

from pathlib import Path

import pytest

import bnnhw
from bnnhw.compiler.frontends.model_file import load

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


def test_a_chain_of_scores_has_classes(tmp_path: Path):
    bnnhw.import_qonnx(FIXTURES / "fc_w1a1.onnx", tmp_path / "model.pt", images=1)
    graph = load(tmp_path / "model.pt")
    assert graph.meta["classes"] == [str(label) for label in range(10)]
    assert graph.meta["network"] == "fc_w1a1"


def test_nothing_is_written_over_what_is_no_file(tmp_path: Path):
    with pytest.raises(ValueError, match="is no regular file"):
        bnnhw.import_qonnx(FIXTURES / "fc_w1a1.onnx", tmp_path)

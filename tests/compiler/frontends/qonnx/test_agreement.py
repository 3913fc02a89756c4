"""The file's own execution finds what the graph that was made of it has otherwise, and lets ties be ties."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.frontends.qonnx.agreement import agreement, sample_images
from bnnhw.compiler.frontends.qonnx.inputs import InputOptions
from bnnhw.compiler.frontends.qonnx.read import read
from bnnhw.compiler.frontends.qonnx.translate import Translation, translate
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import BinaryLinear

from .networks import Network, two_layers

FIXTURES = Path(__file__).parents[3] / "data" / "qonnx"


def translated(path: Path) -> tuple[Any, Translation]:
    model = read(path)
    return model, translate(model, InputOptions())


def with_op(translation: Translation, kind: str, change: dict[str, Any]) -> Translation:
    """The translation, the first op of a kind otherwise."""
    nodes = list(translation.graph.nodes)
    place = next(place for place, node in enumerate(nodes) if type(node.op).__name__ == kind)
    old = nodes[place]
    nodes[place] = Node(old.name, replace(old.op, **change), old.inputs, old.output)  # pyright: ignore[reportArgumentType]
    return replace(translation, graph=replace(translation.graph, nodes=tuple(nodes)))


def test_sound_networks_agree(tmp_path: Path):
    model, translation = translated(two_layers().write(tmp_path))
    found = agreement(model, translation, sample_images(translation.graph, 8))
    assert (found.images, found.integers, found.ties, found.labels) == (8, 8 * (64 + 16), (), 0)


def test_finds_a_wrong_weight(tmp_path: Path):
    model, translation = translated(two_layers().write(tmp_path))
    weights = -translation.graph.nodes[1].op.weights  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ModelError, match=r"node 'BipolarQuant_3' \(BipolarQuant\) gives -?1 in the file's own"):
        agreement(
            model, with_op(translation, "BinaryLinear", {"weights": weights}), sample_images(translation.graph, 4)
        )


def test_finds_a_wrong_norm(tmp_path: Path):
    model, translation = translated(two_layers().write(tmp_path))
    norm = translation.graph.nodes[2].op
    shifted = norm.mean + np.float32(3)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ModelError, match="BipolarQuant_3"):
        agreement(model, with_op(translation, "BatchNorm", {"mean": shifted}), sample_images(translation.graph, 4))


def test_finds_a_wrong_step():
    model, translation = translated(FIXTURES / "fc_w2a2.onnx")
    with pytest.raises(ModelError, match="before rounding"):
        agreement(model, with_op(translation, "UniformQuantise", {"hi": 2}), sample_images(translation.graph, 4))


def test_finds_wrong_scores(tmp_path: Path):
    model, translation = translated(two_layers().write(tmp_path))
    last = translation.graph.nodes[-1]
    assert isinstance(last.op, BinaryLinear)
    wrong = replace(last, op=replace(last.op, weights=last.op.weights[::-1].copy()))
    nodes = (*translation.graph.nodes[:-1], wrong)
    spoilt = replace(translation, graph=replace(translation.graph, nodes=nodes))
    with pytest.raises(ModelError, match=r"output 'MatMul_4_out', image 0, \(0,\) is"):
        agreement(model, spoilt, sample_images(translation.graph, 4))


def test_lists_ties(tmp_path: Path):
    """A scale that the file applies after the sum, and the graph before: on one side of a step, and on the other."""
    network = Network(1)
    network.quant(1.0, 8)
    network.node("MatMul", np.ones((1, 1)))
    network.node("Mul", np.float32(0.1))
    network.node("Mul", np.float32(3.0))
    network.quant(0.2, 8)
    network.node("MatMul", np.ones((1, 1)))
    model, translation = translated(network.write(tmp_path))
    images = np.arange(-80, 80)[:, None]
    found = agreement(model, translation, images)
    assert found.near
    assert found.near >= len(found.ties) > 0
    tie = found.ties[0]
    assert abs(tie.file - tie.graph) == 1
    assert str(tie).startswith(f"Quant_4, image {tie.image}, (0,): ")


def test_images_are_noise_and_blocks():
    _, translation = translated(FIXTURES / "conv_w2a2.onnx")
    images = sample_images(translation.graph, 40)
    assert images.shape == (40, 12, 12, 3)
    assert images.min() == -128
    assert images.max() == 127

    def steps(image: np.ndarray) -> float:
        return float(np.abs(np.diff(image, axis=0)).mean())

    assert np.mean([steps(one) for one in images[1::2]]) < 0.7 * np.mean([steps(one) for one in images[::2]])

"""A pruned network has an integer graph that says what torch says."""

from pathlib import Path

import numpy as np
import pytest

import bnnhw
from bnnhw.compiler.frontends.model_file import load, to_plain
from bnnhw.compiler.ir.graph import evaluate
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.export.save_model import graph_of
from bnnhw.model.files import torch_bytes
from bnnhw.model.networks.catalogue import Architecture
from bnnhw.model.pruning import prune
from bnnhw.model.pruning.criteria import Criterion
from tests.model.pruning.case import CONVOLUTIONAL, PERCEPTRON, file_of, images_for, network_of, scores

from .random_branches import HI, SHAPE, random_network


@pytest.mark.parametrize("architecture", [CONVOLUTIONAL, PERCEPTRON], ids=["convolutional", "perceptron"])
@pytest.mark.parametrize("by", ["magnitude", "thinet"])
def test_integers_equal_torch(architecture: Architecture, by: Criterion, tmp_path: Path) -> None:
    whole = file_of(network_of(architecture))
    file = prune(whole, keep=0.5, by=by, images=images_for(30)).graph
    assert any({"scale", "bias"} <= node.op.to_plain().tensors.keys() for node in file.nodes)  # refitted
    path = tmp_path / "pruned.pt"
    path.write_bytes(torch_bytes(to_plain(file)))
    graph = integerize(load(path), check=True)
    images = images_for(60, seed=9)
    (labels,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    assert np.array_equal(labels.reshape(-1), scores(file, images).argmax(1).numpy())


@pytest.mark.parametrize("seed", [5, 9])
def test_branches_to_the_rtl(seed: int, tmp_path: Path) -> None:
    images = np.random.default_rng(seed).integers(0, HI + 1, (30, *SHAPE))
    whole = graph_of(random_network(seed), example_input=images, input_range=(0, HI))
    pruned = prune(whole, keep=0.5, by="thinet", images=images)
    assert any(node.name.endswith(".offset") for node in pruned.graph.nodes)
    assert sum(layer.before - layer.after for layer in pruned.layers) > 2
    path = tmp_path / "pruned.pt"
    path.write_bytes(torch_bytes(to_plain(pruned.graph)))
    verified = bnnhw.verify(path, through="rtl", samples=20)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps

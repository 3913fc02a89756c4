"""A pruned network has an integer graph that says what torch says."""

from pathlib import Path

import numpy as np
import pytest

from bnnhw.compiler.frontends.model_file import load, to_plain
from bnnhw.compiler.ir.graph import evaluate
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.files import torch_bytes
from bnnhw.model.networks.catalogue import Architecture
from bnnhw.model.pruning import prune
from bnnhw.model.pruning.criteria import Criterion
from tests.model.pruning.case import CONVOLUTIONAL, PERCEPTRON, file_of, images_for, network_of, scores


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

"""Pruning of networks with branches: what must stay does so bit for bit, and all of it has integers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.frontends.model_file import from_plain, to_plain
from bnnhw.compiler.ir.graph import Graph, evaluate
from bnnhw.compiler.ir.ops import BatchNorm, BinaryLinear
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.export.modules import network_of
from bnnhw.model.pruning import prune
from bnnhw.model.pruning.links import binary_op, find_links, with_op
from tests.branches import DenseDigits, ForkedDense, SummedDense
from tests.random_branches import HI, SHAPE, random_network

from .test_links import DIGITS, Partly, graph
from .test_offsets import Joined

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "forked": ForkedDense, "summed": SummedDense, "dense": DenseDigits, "partly": Partly, "joined": Joined,
}  # fmt: skip


def images_of(file: Graph, count: int, *, seed: int) -> np.ndarray:
    value = file.inputs[0].type
    return np.random.default_rng(seed).integers(0, value.element.hi + 1, (count, *value.shape))  # pyright: ignore[reportAttributeAccessIssue]


def scores(file: Graph, images: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return network_of(file)(torch.from_numpy(images).float())


def with_dead_channels(file: Graph) -> Graph:
    """Half of each link's channels behind batch norms that make -1 of them, whatever they were: 0 where it is integers,
    and -1 is what convolutions of `DenseDigits` are padded with."""
    for link in find_links(file):
        dead = np.arange(link.channels) % 2 == 1
        nodes = []
        for node in file.nodes:
            own = link.features[node.inputs[0]]
            op = node.op
            if isinstance(op, BatchNorm) and op.weight is not None and op.bias is not None and (own >= 0).any():
                gone = (own >= 0) & dead[own]
                op = replace(op, weight=np.where(gone, 0, op.weight), bias=np.where(gone, -1, op.bias))
            nodes.append(replace(node, op=op))
        file = replace(file, nodes=tuple(nodes))
    return file


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("how", [{"by": "magnitude"}, {"by": "thinet", "images": True}], ids=["magnitude", "thinet"])
def test_dead_channels_go_without_a_trace(name: str, how: dict[str, Any]) -> None:
    file = with_dead_channels(graph(NETWORKS[name](), DIGITS))
    if "images" in how:
        how = {**how, "images": images_of(file, 300, seed=1)}
    links = [link for link in find_links(file) if link.channels > 1]
    pruning = prune(file, keep=0.5, **how)
    assert [layer.constant for layer in pruning.layers] == [layer.before - layer.after for layer in pruning.layers]
    assert [layer.after for layer in pruning.layers] == [-(-layer.before // 2) for layer in pruning.layers]
    assert links
    images = images_of(file, 300, seed=2)
    assert torch.equal(scores(pruning.graph, images), scores(file, images))
    assert len(scores(file, images).unique(dim=0)) > 1


def test_channels_that_are_added_go_together_by_what_both_weigh() -> None:
    file = graph(SummedDense(8), DIGITS)
    scales = {"c.0": (1, 2, 3, 4, 5, 6, 7, 8), "d.0": (9, 1, 7, 1, 5, 1, 1, 1)}
    for name, scale in scales.items():
        op = binary_op(file, name)
        assert isinstance(op, BinaryLinear)
        file = with_op(file, name, replace(op, scale=np.array(scale, np.float32)))
    pruning = prune(file, keep=0.5, layers=["d"])
    assert [(layer.name, layer.after) for layer in pruning.layers] == [("c.0", 4), ("d.0", 4)]
    assert pruning.graph.meta["pruned"] == {"c.0": 4, "d.0": 4}
    kept = [0, 2, 4, 7]  # together they weigh 10, 3, 10, 5, 10, 7, 8, 9
    for name in scales:
        one, two = binary_op(pruning.graph, name), binary_op(file, name)
        assert one.scale is not None
        assert two.scale is not None
        assert np.array_equal(one.scale, two.scale[kept])
        assert np.array_equal(one.product.weights, two.product.weights[kept])
    columns = binary_op(file, "scores.0").product.weights[:, kept]
    assert np.array_equal(binary_op(pruning.graph, "scores.0").product.weights, columns)


@pytest.mark.parametrize("name", ["forked", "summed", "dense"])
def test_refitting_on_images_brings_the_scores_nearer(name: str) -> None:
    file = graph(NETWORKS[name](), DIGITS)
    sample, images = images_of(file, 200, seed=1), images_of(file, 200, seed=2)
    errors = [
        (scores(prune(file, keep=0.8, images=given).graph, images) - scores(file, images)).square().mean()
        for given in (None, sample)
    ]
    assert errors[1] < 0.9 * errors[0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("by", ["magnitude", "thinet"])
def test_integers_equal_torch(seed: int, by: Any) -> None:
    file = graph(random_network(seed), SHAPE, HI)
    images = images_of(file, 30, seed=seed)
    pruning = prune(file, keep=0.5, by=by, images=images if by == "thinet" else None)
    considered = {layer.name for layer in pruning.layers} | set(pruning.left_alone)
    assert considered == {name for link in find_links(file) for name in link.producers}
    stored = from_plain(to_plain(pruning.graph))
    integers = integerize(stored, check=True)
    (labels,) = evaluate(integers, {integers.inputs[0].name: images}).values()
    assert np.array_equal(labels.reshape(-1), scores(stored, images).argmax(1).numpy())

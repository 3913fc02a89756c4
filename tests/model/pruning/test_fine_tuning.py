"""Training goes on from a file: the same network at first, a better one behind it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.export.modules import network_of as torch_network_of
from bnnhw.model.export.save_model import graph_of
from bnnhw.model.networks.catalogue import Architecture, Convolution, build_network
from bnnhw.model.pruning import fine_tune, prune
from bnnhw.model.pruning.fine_tuning import learnable
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import count_correct, train
from tests.model.toy import toy_data
from tests.random_branches import HI, SHAPE, random_network

from .case import CONVOLUTIONAL, file_of, images_for, network_of

DATA = toy_data(images=240)
RECIPE = Recipe(epochs=6, batch_size=32, learning_rate=2e-2)
NETWORK = Architecture(
    widths=(16,), convolutions=(Convolution(channels=12, padding=1), Convolution(channels=8, padding=1, pool=True)),
    input_bits=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> Graph:
    options = {"shape": DATA.shape, "lo": 0, "hi": 255, "classes": 3}
    training = train(lambda: build_network(NETWORK, **options), DATA, recipe=RECIPE)
    meta = {"network": "small", "classes": list(DATA.classes)}
    return graph_of(training.network, example_input=DATA.test_images, input_range=(0, 255), meta=meta)


def correct(file: Graph) -> int:
    return count_correct(torch_network_of(file), DATA.test_images, DATA.test_labels)


def same_numbers(graph: Graph, other: Graph) -> bool:
    """Whether all tensors of the two graphs are equal."""
    pairs = [
        (one.op.to_plain().tensors, two.op.to_plain().tensors)
        for one, two in zip(graph.nodes, other.nodes, strict=True)
    ]
    return all(
        one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one) for one, two in pairs
    )


def test_a_learnable_network_computes_the_same_and_learns_everything() -> None:
    file = file_of(network_of(CONVOLUTIONAL))
    network = learnable(file)
    images = torch.from_numpy(images_for(30, seed=4)).float()
    assert torch.equal(network.eval()(images), torch_network_of(file)(images))
    network.train()(images).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert all(gradient is not None and gradient.any() for gradient in gradients.values()), gradients.keys()
    assert len(gradients) == 5 + 2 * 4 + 2  # weights, batch norms, the factor and offset of all scores
    latent = torch.cat([p.flatten() for p in network.parameters() if p.ndim > 1]).abs()
    assert 0 < latent.min() < latent.max() < 1


def test_fine_tuning_wins_back_what_pruning_cost(trained: Graph) -> None:
    smaller, longer = prune(trained, keep=0.5).graph, replace(RECIPE, epochs=12)
    tuned = fine_tune(smaller, DATA, recipe=longer, seed=1)
    before, between, after = correct(trained), correct(smaller), correct(tuned)
    assert between < 0.9 * before < 0.97 * before <= after, (before, between, after)
    assert [(node.name, type(node.op)) for node in tuned.nodes] == [
        (node.name, type(node.op)) for node in smaller.nodes
    ]
    assert tuned.meta == smaller.meta
    again = fine_tune(smaller, DATA, recipe=longer, seed=1)
    assert same_numbers(tuned, again)


def test_fine_tuning_does_not_look_at_test_images(trained: Graph) -> None:
    recipe = replace(RECIPE, epochs=1)
    other = replace(DATA, test_images=np.zeros_like(DATA.test_images))
    files = [fine_tune(trained, data, recipe=recipe) for data in (DATA, other)]
    assert same_numbers(*files)


def test_what_pruning_put_behind_sums_is_learnt_on() -> None:
    """A network with branches, in which it put offsets, is the same graph again."""
    images = np.random.default_rng(0).integers(0, HI + 1, (30, *SHAPE))
    file = graph_of(random_network(5), example_input=images, input_range=(0, HI))
    smaller = prune(file, keep=0.5, by="thinet", images=images).graph
    network = learnable(smaller).eval()
    x = torch.from_numpy(images).float()
    assert torch.equal(network(x), torch_network_of(smaller)(x))
    new = graph_of(network, example_input=images, input_range=(0, HI))
    assert [type(node.op) for node in new.nodes] == [type(node.op) for node in smaller.nodes]
    assert any(node.name.endswith(".offset") for node in smaller.nodes)

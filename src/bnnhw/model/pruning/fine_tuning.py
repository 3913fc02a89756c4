"""Training goes on from a trained graph."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.data.datasets import DataSet
from bnnhw.model.export.loading import input_of
from bnnhw.model.export.modules import network_of
from bnnhw.model.export.save_model import graph_of
from bnnhw.model.layers.affine import Affine
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import Epoch, train

__all__ = ["fine_tune", "learnable"]

_LEAST = 1e-12  # a weight of 0 would be +1


def learnable(graph: Graph) -> nn.Module:
    """The network of `graph` with everything in it to be learnt: it computes the same until its first step.

    A graph holds signs. The latent weights get them, with the magnitudes of fresh weights (`xavier_uniform_`, from
    torch's generator), so that a step flips about as many of them as in any training by the method bnn.
    """
    network = network_of(graph).requires_grad_(True)
    for module in network.modules():
        if isinstance(module, BinaryLayer):
            with torch.no_grad():
                magnitudes = nn.init.xavier_uniform_(torch.empty_like(module.weight)).abs()
                module.weight.mul_(magnitudes.clamp_min(_LEAST))
        elif isinstance(module, Affine):
            weight, bias = module.weight, module.bias
            del module.weight, module.bias
            module.weight, module.bias = nn.Parameter(weight), nn.Parameter(bias)
    return network


def fine_tune(
    graph: Graph,
    data: DataSet,
    *,
    recipe: Recipe,
    seed: int = 0,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Graph:
    """`graph` after training on `data`, its layers called as before. Arguments as for `training.train`."""
    training = train(
        lambda: learnable(graph), data, recipe=recipe, seed=seed, on_step=on_step, on_epoch=on_epoch
    )  # fmt: skip
    _, lo, hi = input_of(graph)
    new = graph_of(training.network, example_input=data.test_images[:256], input_range=(lo, hi), meta=graph.meta)
    nodes = (replace(old, op=node.op) for node, old in zip(new.nodes, graph.nodes, strict=True))
    return replace(graph, nodes=tuple(nodes))

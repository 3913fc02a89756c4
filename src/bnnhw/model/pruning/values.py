"""What layers read, and the dot products that they make of it, over images.

Tests: tests/model/pruning/test_criteria.py
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.export.modules import network_of
from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["dot_products", "inputs_of"]


def dot_products(graph: Graph, reader: str, images: Tensor) -> Tensor:
    """A layer's sums, without its factors and offsets: (rows, pixels of all images)."""
    y, _ = _run(graph, reader, images)
    return y.double().transpose(0, 1).flatten(1)


def inputs_of(graph: Graph, reader: str, images: Tensor) -> tuple[Tensor, BinaryLayer]:
    """What a layer reads, as torch has it, and the layer."""
    seen: list[Tensor] = []
    _, layer = _run(graph, reader, images, seen)
    return seen[0], layer


@torch.no_grad()
def _run(graph: Graph, reader: str, images: Tensor, seen: list[Tensor] | None = None) -> tuple[Tensor, BinaryLayer]:
    """The sums and the layer; what it reads is added to `seen`."""
    end = next(place for place, node in enumerate(graph.nodes) if node.name == reader) + 1
    network = network_of(replace(graph, nodes=graph.nodes[:end], outputs=(graph.nodes[end - 1].output,)))
    layer = [module for module in network.modules() if isinstance(module, BinaryLayer)][-1]
    layer.scale = layer.bias = None

    def see(_: Any, inputs: tuple[Tensor, ...]) -> None:
        if seen is not None:
            seen.append(inputs[0])

    layer.register_forward_pre_hook(see)
    return network(images), layer

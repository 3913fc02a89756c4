"""What layers read, and the dot products that they make of it, over images.

Tests: tests/model/pruning/test_criteria.py
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.export.modules import network_of
from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["dot_products", "inputs_of"]


def dot_products(graph: Graph, reader: str, images: Tensor) -> Tensor:
    """A layer's sums, without its factors and offsets: (rows, pixels of all images)."""
    _, sums, _ = _run(graph, reader, images)
    return sums.double().transpose(0, 1).flatten(1)


def inputs_of(graph: Graph, reader: str, images: Tensor) -> tuple[Tensor, BinaryLayer]:
    """What a layer reads, as torch has it, and the layer."""
    inputs, _, layer = _run(graph, reader, images)
    return inputs, layer


@torch.no_grad()
def _run(graph: Graph, reader: str, images: Tensor) -> tuple[Tensor, Tensor, BinaryLayer]:
    """What the layer reads, its sums, and the layer."""
    end = next(place for place, node in enumerate(graph.nodes) if node.name == reader) + 1
    network = network_of(replace(graph, nodes=graph.nodes[:end], outputs=(graph.nodes[end - 1].output,)))
    layer = [module for module in network.modules() if isinstance(module, BinaryLayer)][-1]
    layer.scale = layer.bias = None
    seen: list[tuple[Tensor, Tensor]] = []

    def see(_: nn.Module, inputs: tuple[Tensor, ...], sums: Tensor) -> None:
        seen.append((inputs[0], sums))

    layer.register_forward_hook(see)
    network(images)
    ((inputs, sums),) = seen
    return inputs, sums, layer

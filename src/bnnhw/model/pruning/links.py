"""The channels between two layers with binary weights, and how they are taken out of a chain of layers.

Tests: tests/model/pruning/test_prune.py
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.export.modules import network_of
from bnnhw.model.export.raster import with_vectors
from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["Link", "binary_op", "find_links", "input_weights", "obstacle", "remove_channels", "split_at", "with_op"]


@dataclass(frozen=True, kw_only=True)
class Link:
    """The output channels of node `producer` of a graph, which node `consumer` reads; nothing between mixes them.

    Both are positions among the graph's nodes; `ordinal` is the consumer's among those with binary weights.
    """

    producer: int
    consumer: int
    ordinal: int
    channels: int


def find_links(graph: Graph) -> tuple[Link, ...]:
    """One for each layer with binary weights but the last, in order."""
    binary = [index for index, node in enumerate(graph.nodes) if isinstance(node.op, ops.BinaryLayer)]
    return tuple(
        Link(producer=first, consumer=second, ordinal=number, channels=binary_op(graph, first).product.rows)
        for number, (first, second) in enumerate(pairwise(binary), start=1)
    )


def binary_op(graph: Graph, index: int) -> ops.BinaryLayer:
    """The op of a node with binary weights."""
    op = graph.nodes[index].op
    assert isinstance(op, ops.BinaryLayer)
    return op


def obstacle(graph: Graph, link: Link) -> str | None:
    """What keeps the link's channels from being removed; None where nothing does."""
    for index, does in ((link.producer, "makes"), (link.consumer, "reads")):
        product = binary_op(graph, index).product
        if isinstance(product, ops.Conv) and product.groups != 1:
            name = graph.nodes[index].name
            return f"layer {name!r} {does} its channels in {product.groups} groups, which must stay equally large"
    return None


def input_weights(graph: Graph, link: Link) -> Tensor:
    """The consumer's weights, +-1, by input channel: (rows, taps, channels); taps are pixels of the kernel, or of the
    image that was flattened before a linear layer."""
    weights = binary_op(graph, link.consumer).product.weights
    return torch.from_numpy(weights.reshape(len(weights), -1, link.channels)).float()


def remove_channels(graph: Graph, link: Link, kept: Tensor) -> Graph:
    """`graph` with the link's channels `kept` (rising positions) only: the producer's rows, what belongs to them in
    between, and the consumer's columns."""
    positions = kept.numpy()
    producer, consumer = binary_op(graph, link.producer), binary_op(graph, link.consumer)
    factors = {name: x[positions] for name in ("scale", "bias") if (x := getattr(producer, name)) is not None}
    graph = with_op(graph, link.producer, _with(producer, producer.product.weights[positions], **factors))
    for index in range(link.producer + 1, link.consumer):
        op = with_vectors(graph.nodes[index].op, lambda x: x.reshape(-1, link.channels)[:, positions].ravel())
        graph = with_op(graph, index, op)
    weights = consumer.product.weights  # the channel fastest, in a kernel and in the image that was flattened
    columns = weights.reshape(*weights.shape[:-1], -1, link.channels)[..., positions]
    return with_op(graph, link.consumer, _with(consumer, columns.reshape(*weights.shape[:-1], -1)))


def _with(op: ops.BinaryLayer, weights: NDArray[np.int8], **factors: NDArray[np.float32]) -> ops.BinaryLayer:
    """`op` with other weights, and perhaps another scale and bias."""
    if isinstance(op, ops.BinaryConv2d):
        return replace(op, conv=replace(op.conv, weights=weights), **factors)
    assert isinstance(op, ops.BinaryLinear)
    return replace(op, weights=weights, **factors)


def with_op(graph: Graph, index: int, op: ops.Op) -> Graph:
    """`graph`, another op in the place of that of node `index`."""
    nodes = (replace(node, op=op) if place == index else node for place, node in enumerate(graph.nodes))
    return replace(graph, nodes=tuple(nodes))


def split_at(graph: Graph, link: Link) -> tuple[nn.Sequential, BinaryLayer, nn.Sequential, BinaryLayer]:
    """The graph's network in torch, in eval mode: all before the producer, the producer, what is between, the consumer.

    The layers' factors and offsets stay as they are.
    """
    network = network_of(graph)
    assert isinstance(network, nn.Sequential), "links are of chains"
    modules = list(network)
    first, second = [index for index, module in enumerate(modules) if isinstance(module, BinaryLayer)][
        link.ordinal - 1 : link.ordinal + 1
    ]
    producer, consumer = modules[first], modules[second]
    assert isinstance(producer, BinaryLayer)
    assert isinstance(consumer, BinaryLayer)
    return nn.Sequential(*modules[:first]), producer, nn.Sequential(*modules[first + 1 : second]), consumer

"""Channels that can only go together, and how they are taken out of a graph.

A channel that a layer makes is the same channel behind batch norms, activations and poolings. An `Add` ties a channel
of one of its values to that of the other: both stay or both go (the dependency groups of Fang et al., DepGraph,
https://arxiv.org/abs/2301.12900). A `Concat` has those of its values side by side. So each value of the graph has a
channel for each of its features; a flattened image has each of its channels in every pixel.

Tests: tests/model/pruning/test_links.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops.kinds import Activation, Elementwise, Selection
from bnnhw.model.export.raster import with_vectors

from .ties import Ties

__all__ = ["Link", "binary_op", "find_links", "input_weights", "node_named", "remove_channels", "with_op"]

APART = (
    Elementwise, Activation, Selection, ops.AveragePool, ops.Crop, ops.UpsampleNearest, ops.UpsampleBilinear,
    ops.Identity,
)  # fmt: skip
"""Kinds of ops that leave each channel to itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """Channels between layers with binary weights: all that the same layers make together.

    Attributes
    ----------
    producers, readers
        The names of the layers whose rows the channels are, and of those that have columns for them.
    channels
        How many there are.
    features
        Of each value which of these channels each of its features is, -1 for none: (features,).
    obstacle
        What keeps them from being removed; None where nothing does.
    """

    producers: tuple[str, ...]
    readers: tuple[str, ...]
    channels: int
    features: Mapping[str, NDArray[np.int64]]
    obstacle: str | None = None

    def rows(self, graph: Graph, producer: str) -> NDArray[np.int64]:
        """Which channel each row of a layer is, -1 for none."""
        return self.features[node_named(graph, producer).output]

    def columns(self, graph: Graph, reader: str) -> NDArray[np.int64]:
        """Which channel each feature of a layer's input is, -1 for none."""
        return self.features[node_named(graph, reader).inputs[0]]

    def stays(self, node: Node, kept: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which features of a node's output, and of its first input, stay where these channels do."""
        output, first = (self.features[value] for value in (node.output, node.inputs[0]))
        return (output < 0) | kept[output], (first < 0) | kept[first]


def find_links(graph: Graph) -> tuple[Link, ...]:
    """All channels but the network's inputs and outputs, in the order of the layers that make them."""
    channels, ties = channels_of(graph)
    makers: dict[int, set[str]] = {}
    for node in graph.nodes:
        if isinstance(node.op, ops.BinaryLayer):
            for channel in channels[node.output].tolist():
                makers.setdefault(ties.root(channel), set()).add(node.name)
    for value in graph.outputs:
        for channel in channels[value].tolist():
            makers.pop(ties.root(channel), None)
    order = [node.name for node in graph.nodes]
    together: dict[tuple[str, ...], list[int]] = {}
    for root, names in makers.items():
        together.setdefault(tuple(sorted(names, key=order.index)), []).append(root)
    roots = {value: np.array([ties.root(one) for one in ids.tolist()]) for value, ids in channels.items()}
    return tuple(
        _link(graph, producers, together[producers], roots, ties)
        for producers in sorted(together, key=lambda names: [order.index(name) for name in names])
    )


def _link(
    graph: Graph, producers: tuple[str, ...], members: list[int], roots: Mapping[str, NDArray[np.int64]], ties: Ties
) -> Link:
    numbers = {root: number for number, root in enumerate(members)}
    features = {
        value: np.array([numbers.get(root, -1) for root in own.tolist()], np.int64) for value, own in roots.items()
    }
    reading = [node for node in graph.nodes if isinstance(node.op, ops.BinaryLayer)]
    readers = tuple(node.name for node in reading if (features[node.inputs[0]] >= 0).any())
    obstacles = [ties.reasons[root] for root in members if root in ties.reasons]
    return Link(
        producers=producers,
        readers=readers,
        channels=len(members),
        features=features,
        obstacle=obstacles[0] if obstacles else None,
    )


def channels_of(graph: Graph) -> tuple[dict[str, NDArray[np.int64]], Ties]:
    """The channel of each feature of every value, and which channels are tied or have to stay."""
    types, ties = infer_types(graph), Ties()
    channels: dict[str, NDArray[np.int64]] = {}
    for value in graph.inputs:
        shape = value.type.shape
        reason = f"channels that are added to the network's input {value.name!r} must stay"
        channels[value.name] = ties.new(shape[-1] if shape else 1, reason)
    for node in graph.nodes:
        inputs = [channels[value] for value in node.inputs]
        shape = types[node.output].shape
        match node.op:
            case ops.BinaryLayer(product=product):
                groups = product.groups if isinstance(product, ops.Conv) else 1
                does = f"layer {node.name!r} {{}} its channels in {groups} groups, which must stay equally large"
                channels[node.output] = ties.new(product.rows, does.format("makes") if groups > 1 else None)
                if groups > 1:
                    ties.keep(inputs[0], does.format("reads"))
            case ops.Flatten():
                channels[node.output] = np.tile(inputs[0], shape[0] // len(inputs[0]))
            case ops.SpaceToDepth(block):
                channels[node.output] = np.repeat(inputs[0], block**2)
            case ops.DepthToSpace(block):
                first, *others = inputs[0].reshape(-1, block**2).T
                for own in others:
                    ties.tie(first, own)
                channels[node.output] = first
            case ops.Concat():
                channels[node.output] = np.concatenate(inputs)
            case ops.Add():
                ties.tie(*inputs)
                channels[node.output] = inputs[0]
            case op if isinstance(op, APART):
                channels[node.output] = inputs[0]
            case op:
                reason = f"nothing is known of what layer {node.name!r} ({type(op).__name__}) does to channels"
                channels[node.output] = ties.new(shape[-1] if shape else 1, reason)
                for own in inputs:
                    ties.keep(own, reason)
    return channels, ties


def node_named(graph: Graph, name: str) -> Node:
    """The node called so."""
    return next(node for node in graph.nodes if node.name == name)


def binary_op(graph: Graph, name: str) -> ops.BinaryLayer:
    """The op of a layer with binary weights."""
    op = node_named(graph, name).op
    assert isinstance(op, ops.BinaryLayer)
    return op


def input_weights(graph: Graph, reader: str) -> NDArray[np.int8]:
    """A layer's weights, +-1, by feature of its input: (rows, taps, features); taps are pixels of a kernel."""
    weights = binary_op(graph, reader).product.weights
    return weights.reshape(len(weights), -1, weights.shape[-1])


def remove_channels(graph: Graph, link: Link, kept: NDArray[np.bool_]) -> Graph:
    """`graph` with those of the link's channels that are kept: without the rows and columns of the others, and without
    what batch norms and other layers between have for them."""
    nodes = []
    for node in graph.nodes:
        rows, columns = link.stays(node, kept)
        if isinstance(op := node.op, ops.BinaryLayer):
            node = replace(node, op=_part(op, rows, columns))
        elif not columns.all() and len(node.inputs) == 1:
            node = replace(node, op=with_vectors(op, lambda vector, columns=columns: vector[columns]))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _part(op: ops.BinaryLayer, rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> ops.BinaryLayer:
    """The op with some of its rows and columns."""
    factors = {name: x[rows] for name in ("scale", "bias") if (x := getattr(op, name)) is not None}
    weights = op.product.weights[rows]
    if not columns.all():  # those of a convolution in groups all stay
        weights = weights[..., columns]
    if isinstance(op, ops.BinaryConv2d):
        return replace(op, conv=replace(op.conv, weights=weights), **factors)
    assert isinstance(op, ops.BinaryLinear)
    return replace(op, weights=weights, **factors)


def with_op(graph: Graph, name: str, op: ops.Op) -> Graph:
    """`graph`, another op in the node called so."""
    return replace(graph, nodes=tuple(replace(node, op=op) if node.name == name else node for node in graph.nodes))

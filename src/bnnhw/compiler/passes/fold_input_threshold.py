"""Activations of integers that are no layer's sums, such as the network's input, as integer thresholds."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Activation, Elementwise, Reachable
from bnnhw.compiler.ir.types import FloatType, TensorType

from .crossings import falling_channels, find_crossings
from .rewrite import FloatChain, chains, is_alike


def fold_input_threshold(graph: Graph) -> Graph:
    """y = input_threshold(x, 127.5)  ->  y = threshold(x, 128), and z = …float ops…(x); y = sign(z)  ->
    y = threshold(x, …), for integers x that are no sums of a product.

    The new threshold is the least integer of x's range whose bit is +1, found by evaluating the old nodes on all of the
    range; where there is none it is one step above the range. A quantised activation gets a threshold for each of its
    levels. Raises FoldError for an activation that falls as x rises: x has no weights that could be inverted.
    """
    types = infer_types(graph)
    of_sums = {chain.end.name for chain in chains(graph, types) if chain.end}
    folded: dict[str, Node] = {}
    dropped: set[str] = set()
    for node in graph.nodes:
        if isinstance(node.op, Activation) and node.name not in of_sums:
            value, floats = floats_before(graph, node)
            if not isinstance(types[value].element, FloatType):
                folded[node.name] = fold_integers(node, node.op, value, floats, types)
                dropped |= {before.name for before in floats}
    nodes = (folded.get(node.name, node) for node in graph.nodes if node.name not in dropped)
    return replace(graph, nodes=tuple(nodes))


def floats_before(graph: Graph, node: Node) -> tuple[str, tuple[Node, ...]]:
    """The value that `node` makes its output of, and the elementwise float ops in between, which nothing else reads."""
    value, floats = node.inputs[0], ()
    while (before := graph.producer(value)) is not None and isinstance(before.op, Elementwise):
        if len(graph.consumers(value)) > 1 or value in graph.outputs:
            break
        value, floats = before.inputs[0], (before, *floats)
    return value, floats


def fold_integers(
    node: Node, activation: Activation, value: str, floats: tuple[Node, ...], types: Mapping[str, TensorType]
) -> Node:
    """The Threshold or MultiThreshold that replaces `floats` and `node`, all of them behind the integers `value`."""
    element, shape = types[value].element, types[value].shape
    assert not isinstance(element, FloatType)
    lows = np.full(1 if all(is_alike(before.op) for before in floats) else shape[-1], element.lo)
    crossings = find_crossings(
        FloatChain(reachable=Reachable(lows, element.step, element.count), floats=floats), activation
    )
    if (bad := np.flatnonzero(falling_channels(node.name, crossings))).size:
        raise FoldError(
            f"layer {node.name!r}: channel {bad[0]} falls as the integer that it reads rises; "
            "only behind a layer with binary weights, which can be inverted, may it fall: make the factor before it "
            "positive"
        )
    thresholds = element.lo + element.step * (element.count - crossings.reached)
    if (thresholds == thresholds[:, :1]).all():
        thresholds = thresholds[:, :1]
    return replace(node, op=activation.thresholded(thresholds, shape[-1] if shape else 1), inputs=(value,))

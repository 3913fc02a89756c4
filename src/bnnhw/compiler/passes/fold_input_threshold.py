"""Activations of integers that are no layer's sums, such as the network's input, as integer thresholds."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Activation, Invert, Reachable
from bnnhw.compiler.ir.types import FloatType, TensorType

from .crossings import falling_channels, find_crossings
from .rewrite import FloatChain, chains, floats_before, is_alike, is_computed


def fold_input_threshold(graph: Graph) -> Graph:
    """y = input_threshold(x, 127.5)  ->  y = threshold(x, 128), and z = …float ops…(x); y = sign(z)  ->
    y = threshold(x, …), for integers x that are no sums of one chain: the network's input, sums that others read, too,
    sums of activations.

    The new threshold is the least integer of x's range whose bit is +1, found by evaluating the old nodes on all of the
    range; where there is none it is one step above the range. A quantised activation gets a threshold for each of its
    levels. Channels that fall as x rises are inverted behind their thresholds. Raises FoldError where they do so before
    the first product: the host, which thresholds the input, inverts nothing.
    """
    types = infer_types(graph)
    of_sums = {chain.end.name for chain in chains(graph, types) if chain.end}
    folded: dict[str, tuple[Node, ...]] = {}
    dropped: set[str] = set()
    for node in graph.nodes:
        if isinstance(node.op, Activation) and node.name not in of_sums:
            value, floats = floats_before(graph, node.inputs[0], alone=True)
            if not isinstance(types[value].element, FloatType):
                folded[node.name] = fold_integers(graph, node, value, floats, types)
                dropped |= {before.name for before in floats}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_integers(
    graph: Graph, node: Node, value: str, floats: tuple[Node, ...], types: Mapping[str, TensorType]
) -> tuple[Node, ...]:
    """The Threshold or MultiThreshold that replaces `floats` and the activation `node`, all of them behind the integers
    `value`; and an Invert behind it where channels fall."""
    element, shape = types[value].element, types[value].shape
    assert not isinstance(element, FloatType)
    assert isinstance(node.op, Activation)
    channels = shape[-1] if shape else 1
    lows = np.full(1 if all(is_alike(one.op) for one in (*floats, node)) else channels, element.lo)
    crossings = find_crossings(
        FloatChain(reachable=Reachable(lows, element.step, element.count), floats=floats), node.op
    )
    falling = falling_channels(node.name, crossings)
    if falling.any() and not is_computed(graph, value):
        raise FoldError(
            f"layer {node.name!r}: channel {np.flatnonzero(falling)[0]} falls as the integer that it reads rises; "
            "only behind a layer with binary weights, which can be inverted, may it fall: make the factor before it "
            "positive"
        )
    # A level of a falling channel is reached by the least integers; the others reach one of the inverse.
    fewest = np.where(falling, crossings.reached[::-1], element.count - crossings.reached)
    thresholds = element.lo + element.step * fewest
    if (thresholds == thresholds[:, :1]).all():
        thresholds = thresholds[:, :1]
    threshold = replace(node, op=node.op.thresholded(thresholds, channels), inputs=(value,))
    if not falling.any():
        return (threshold,)
    levels = threshold.op.infer(types[value]).element
    assert not isinstance(levels, FloatType)
    rising = f"{node.output}.rising"
    invert = Invert(np.broadcast_to(falling, (channels,)), levels.lo + levels.hi)
    return (replace(threshold, output=rising), Node(f"{node.name}.invert", invert, (rising,), node.output))

"""Flattening behind the elementwise ops that follow it."""

from dataclasses import replace

from bnnhw.compiler.ir import Graph, Node
from bnnhw.compiler.ops import Affine, Flatten, HardTanh, Relu

from .crossings import Activation
from .rewrite import replace_nodes


def flatten_last(graph: Graph) -> Graph:
    """v = flatten(x); y = op(v)  ->  y.image = op(x); y = flatten(y.image), for ops that are alike for all channels.

    So an activation stands behind the sums that it belongs to, whose channels it folds into.
    """
    for node in graph.nodes:
        flatten = graph.producer(node.inputs[0])
        if flatten is None or not isinstance(flatten.op, Flatten) or not is_alike_for_channels(node):
            continue
        if graph.consumers(flatten.output) == (node,) and flatten.output not in graph.outputs:
            return flatten_last(swapped(graph, flatten, node))
    return graph


def is_alike_for_channels(node: Node) -> bool:
    """Whether the node's op is a function of each element, whatever its channel."""
    if isinstance(node.op, Affine):
        return all(array is None or len(array) == 1 for array in (node.op.weight, node.op.bias))
    return isinstance(node.op, Activation | HardTanh | Relu)


def swapped(graph: Graph, flatten: Node, node: Node) -> Graph:
    """The graph with these two neighbours the other way round."""
    image = f"{node.output}.image"
    first = replace(node, inputs=flatten.inputs, output=image)
    second = replace(flatten, inputs=(image,), output=node.output)
    new = {flatten.name: (), node.name: (first, second)}
    return replace_nodes(graph, lambda node: new.get(node.name, (node,)))

"""Flattening behind the elementwise ops that follow it.

Tests: tests/compiler/passes/test_integerize.py
"""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import Flatten

from .crossings import Activation
from .rewrite import is_alike_for_channels, replace_nodes


def flatten_last(graph: Graph) -> Graph:
    """v = flatten(x); y = op(v)  ->  y.image = op(x); y = flatten(y.image), for ops that are alike for all channels.

    So an activation stands behind the sums that it belongs to, whose channels it folds into.
    """
    for node in graph.nodes:
        flatten = graph.producer(node.inputs[0])
        if flatten is None or not isinstance(flatten.op, Flatten):
            continue
        if not isinstance(node.op, Activation) and not is_alike_for_channels(node.op):
            continue
        if graph.consumers(flatten.output) == (node,) and flatten.output not in graph.outputs:
            return flatten_last(swapped(graph, flatten, node))
    return graph


def swapped(graph: Graph, flatten: Node, node: Node) -> Graph:
    """The graph with these two neighbours the other way round."""
    image = f"{node.output}.image"
    first = replace(node, inputs=flatten.inputs, output=image)
    second = replace(flatten, inputs=(image,), output=node.output)
    new = {flatten.name: (), node.name: (first, second)}
    return replace_nodes(graph, lambda node: new.get(node.name, (node,)))

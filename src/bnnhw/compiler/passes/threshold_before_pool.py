"""Max pooling on bits instead of sums.

Tests: tests/compiler/passes/test_pool_orders.py
"""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import MaxPool, MultiThreshold, Threshold

from .rewrite import replace_nodes


def threshold_before_pool(graph: Graph) -> Graph:
    """p = max_pool(s); y = threshold(p)  ->  y.unpooled = threshold(s); y = max_pool(y.unpooled).

    The same, as thresholds rise: the greatest sum reaches a threshold where any does, the least where all do. So a
    pooling of bits is an OR, or an AND in the channels of `minimum`, and only bits are stored for it.
    """
    for node in graph.nodes:
        pool = graph.producer(node.inputs[0])
        if not isinstance(node.op, Threshold | MultiThreshold) or pool is None or not isinstance(pool.op, MaxPool):
            continue
        if graph.consumers(pool.output) == (node,) and pool.output not in graph.outputs:
            return threshold_before_pool(swapped(graph, pool, node))
    return graph


def swapped(graph: Graph, pool: Node, threshold: Node) -> Graph:
    """The graph with these two neighbours the other way round."""
    bits = f"{threshold.output}.unpooled"
    first = replace(threshold, inputs=pool.inputs, output=bits)
    second = replace(pool, inputs=(bits,), output=threshold.output)
    new = {pool.name: (), threshold.name: (first, second)}
    return replace_nodes(graph, lambda node: new.get(node.name, (node,)))

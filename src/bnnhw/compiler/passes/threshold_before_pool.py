"""Max pooling, and cropping, on bits instead of sums.

Tests: tests/compiler/passes/test_pool_orders.py
"""

from bnnhw.compiler.ir.graph import Graph, infer_types

from .rewrite import swap_neighbours


def threshold_before_pool(graph: Graph) -> Graph:
    """p = max_pool(s); y = threshold(p)  ->  y.unpooled = threshold(s); y = max_pool(y.unpooled).

    The same, as thresholds rise: the greatest sum reaches a threshold where any does, the least where all do. So a
    pooling of bits is an OR, or an AND in the channels of `minimum`, and only bits are stored for it. What leaves out
    pixels goes the same way.
    """
    types = infer_types(graph)
    for node in graph.nodes:
        pool = graph.producer(node.inputs[0])
        if not node.op.RISING or pool is None or pool.op.STREAMS_THROUGH:
            continue
        alone = graph.consumers(pool.output) == (node,) and pool.output not in graph.outputs
        if alone and pool.op.moves_values(types[pool.inputs[0]]):
            return threshold_before_pool(swap_neighbours(graph, pool, node, f"{node.output}.unpooled"))
    return graph

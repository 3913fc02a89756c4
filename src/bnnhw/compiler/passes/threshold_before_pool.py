"""Max pooling on bits instead of sums."""

from dataclasses import replace

from bnnhw.compiler.ir import Graph, Node
from bnnhw.compiler.ops import MaxPool, MultiThreshold, Threshold

from .rewrite import replace_nodes


def threshold_before_pool(graph: Graph) -> Graph:
    """p = max_pool(s); y = threshold(p)  ->  y.unpooled = threshold(s); y = max_pool(y.unpooled).

    The same, as thresholds rise: the greatest sum reaches a threshold where any does, the least where all do. So a
    pooling of bits is an OR, or an AND in the channels of `minimum`, and only bits are stored for it.
    """
    swapped: dict[str, tuple[Node, ...]] = {}
    for node in graph.nodes:
        pool = graph.producer(node.inputs[0])
        if isinstance(node.op, Threshold | MultiThreshold) and pool is not None and isinstance(pool.op, MaxPool):
            if graph.consumers(pool.output) != (node,) or pool.output in graph.outputs:
                continue
            bits = f"{node.output}.unpooled"
            swapped[pool.name] = ()
            swapped[node.name] = (
                replace(node, inputs=pool.inputs, output=bits),
                replace(pool, inputs=(bits,), output=node.output),
            )
    return replace_nodes(graph, lambda node: swapped.get(node.name, (node,)))

"""Flattening, concatenation, and whatever else only moves values, behind the elementwise ops that follow it.

Tests: tests/compiler/passes/test_integerize.py
"""

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import Rearrangement

from .rewrite import is_alike, swap_neighbours


def rearrange_last(graph: Graph) -> Graph:
    """v = flatten(x); y = op(v)  ->  y.image = op(x); y = flatten(y.image), for ops that are alike for all channels.

    So an activation stands behind the sums that it belongs to, whose channels it folds into; behind a concatenation,
    one stands in each branch then.
    """
    for node in graph.nodes:
        before = graph.producer(node.inputs[0])
        if before is None or not isinstance(before.op, Rearrangement) or not is_alike(node.op):
            continue
        if graph.consumers(before.output) == (node,) and before.output not in graph.outputs:
            return rearrange_last(swap_neighbours(graph, before, node, f"{node.output}.image"))
    return graph

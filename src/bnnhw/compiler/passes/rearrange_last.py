"""Flattening, concatenation, and whatever else only moves values, behind the elementwise ops that follow it.

Tests: tests/compiler/passes/test_integerize.py
"""

from collections.abc import Sequence

from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.ops import Activation, Elementwise, Op, Rearrangement

from .rewrite import is_alike, swap_neighbours


def rearrange_last(graph: Graph) -> Graph:
    """v = flatten(x); y = op(v)  ->  y.image = op(x); y = flatten(y.image), for ops that are alike for all channels, or
    whose channels stay together.

    So an activation stands behind the sums that it belongs to, whose channels it folds into; behind a concatenation,
    one stands in each branch then, and a batch norm with the branch's channels.
    """
    types = infer_types(graph)
    for node in graph.nodes:
        before = graph.producer(node.inputs[0])
        if before is None or not isinstance(before.op, Rearrangement):
            continue
        alone = graph.consumers(before.output) == (node,) and before.output not in graph.outputs
        ops = ops_before(before.op, node.op, [types[value].shape for value in before.inputs]) if alone else None
        if ops is not None:
            return rearrange_last(swap_neighbours(graph, before, node, f"{node.output}.image", ops))
    return graph


def ops_before(before: Rearrangement, op: Op, shapes: Sequence[tuple[int, ...]]) -> list[Op] | None:
    """What `op`, behind a rearrangement of values of these shapes, is on each of them; None where it is nothing."""
    if is_alike(op):
        return [op] * len(shapes)
    if not isinstance(op, Elementwise | Activation) or (channels := before.channels_behind(*shapes)) is None:
        return None
    return [op.of_channels(each) for each in channels]

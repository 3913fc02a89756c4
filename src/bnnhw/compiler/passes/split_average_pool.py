"""Separation of an average into an exact sum and a division.

Tests: tests/compiler/passes/test_integerize.py
"""

from collections.abc import Mapping
from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Affine, AveragePool, Divide, Flatten, MaxPool, Op
from bnnhw.compiler.ir.types import FloatType, TensorType

from .rewrite import drop_unread, replace_nodes


def split_average_pool(graph: Graph) -> Graph:
    """y = average_pool(x / d)  ->  y.sum = sum_pool(x); y = y.sum / (n * d), where x holds integers, d a power of two.

    torch adds the n values in float32, where integers and their quotients by a power of two are exact in any order, and
    divides once; so both round once, alike. A Flatten or MaxPool behind the division, or behind the mere change of a
    product's sums to floats, comes before it: either only moves values.
    """
    graph = sink_divisions(graph)
    types = infer_types(graph)

    def split(node: Node) -> tuple[Node, ...]:
        source = integer_source(graph, types, node.inputs[0])
        if not isinstance(node.op, AveragePool) or source is None:
            return (node,)
        value, divisor = source
        pool, total = node.op.sum_pool(types[value].shape), f"{node.output}.sum"
        return (
            Node(node.name, pool, (value,), total),
            Node(f"{node.name}.mean", Divide(pool.count * divisor), (total,), node.output),
        )

    after = replace_nodes(graph, split)
    if after.nodes == graph.nodes:
        return graph
    return split_average_pool(drop_unread(after))  # the sunken division may let the next average be split


def integer_source(graph: Graph, types: Mapping[str, TensorType], value: str) -> tuple[str, int] | None:
    """The integers x and the power of two d for which `value` holds x / d, exactly; None where there are none."""
    if not isinstance(types[value].element, FloatType):
        return value, 1
    producer = graph.producer(value)
    if producer is None:
        return None
    op = producer.op
    if is_cast(op):
        return integer_source(graph, types, producer.inputs[0])
    if isinstance(op, Divide) and op.divisor.bit_count() == 1:
        source = integer_source(graph, types, producer.inputs[0])
        return source and (source[0], source[1] * op.divisor)
    return None


def sink_divisions(graph: Graph) -> Graph:
    """v = s / n; y = op(v)  ->  y.sum = op(s); y = y.sum / n, for Flatten and MaxPool, as often as it applies."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if nodes and isinstance(node.op, Flatten | MaxPool) and divides_for(graph, nodes[-1], node):
            division, total = nodes.pop(), f"{node.output}.sum"
            nodes.append(replace(node, inputs=division.inputs, output=total))
            nodes.append(replace(division, inputs=(total,), output=node.output))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def divides_for(graph: Graph, division: Node, reader: Node) -> bool:
    """Whether `division` is a Divide, or by 1 a cast, whose quotient only `reader` reads."""
    value = division.output
    alone = value not in graph.outputs and reader.inputs == (value,) and len(graph.consumers(value)) <= 1
    return (isinstance(division.op, Divide) or is_cast(division.op)) and alone


def is_cast(op: Op) -> bool:
    """Whether `op` makes floats of integers and does nothing else."""
    return isinstance(op, Affine) and op.weight is None and op.bias is None

"""Separation of an average into an exact sum and a division."""

from collections.abc import Mapping
from dataclasses import replace

from bnnhw.compiler.ir import Graph, Node, infer_types
from bnnhw.compiler.ops import Affine, AveragePool, Divide, Flatten, MaxPool
from bnnhw.compiler.types import FloatType, TensorType

from .rewrite import drop_unread, replace_nodes


def split_average_pool(graph: Graph) -> Graph:
    """y = average_pool(x)  ->  y.sum = sum_pool(x); y = y.sum / n, where x holds integers.

    torch adds the n values in float32, where integers are exact in any order, and divides once; so both round once,
    alike. A Flatten or MaxPool behind the division comes before it: either only moves values.
    """
    types = infer_types(graph)

    def split(node: Node) -> tuple[Node, ...]:
        source = integer_source(graph, types, node.inputs[0])
        if not isinstance(node.op, AveragePool) or source is None:
            return (node,)
        pool, total = node.op.sum_pool(types[source].shape), f"{node.output}.sum"
        return (
            Node(node.name, pool, (source,), total),
            Node(f"{node.name}.mean", Divide(pool.count), (total,), node.output),
        )

    return sink_divisions(drop_unread(replace_nodes(graph, split)))


def integer_source(graph: Graph, types: Mapping[str, TensorType], value: str) -> str | None:
    """The integers that `value` holds: itself, or those that it is the float copy of; None where it holds others."""
    if not isinstance(types[value].element, FloatType):
        return value
    producer = graph.producer(value)
    if producer and isinstance(producer.op, Affine) and producer.op.weight is None and producer.op.bias is None:
        return integer_source(graph, types, producer.inputs[0])
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
    """Whether `division` is a Divide whose quotient only `reader` reads."""
    value = division.output
    alone = value not in graph.outputs and reader.inputs == (value,) and len(graph.consumers(value)) <= 1
    return isinstance(division.op, Divide) and alone

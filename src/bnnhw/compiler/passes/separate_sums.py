"""Separation of a layer's exact sums from the float arithmetic behind them.

Tests: tests/compiler/passes/test_separate_sums.py
"""

from collections.abc import Mapping
from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Elementwise, Separable
from bnnhw.compiler.ir.types import FloatType, TensorType

from .rewrite import drop_unread, replace_nodes


def separate_sums(graph: Graph) -> Graph:
    """y = op(x / d)  ->  y.sum = exact(x); …; y = floats(y.sum), where x holds integers and d is a power of two.

    A layer with binary weights is a MatMul or a Conv, with scale and bias behind it, which without either are the
    change from integer to float alone; an average pooling is a SumPool and a division. An integer op behind a
    division, or behind the mere change of sums to floats, comes before it where that is the same.
    """
    graph = sink_divisions(graph)
    types = infer_types(graph)

    def separated(node: Node) -> tuple[Node, ...]:
        source = integer_source(graph, types, node.inputs[0]) if isinstance(node.op, Separable) else None
        return (node,) if source is None else parts(node, types, *source)

    after = replace_nodes(graph, separated)
    if after.nodes == graph.nodes:
        return graph
    return separate_sums(drop_unread(after))  # a sunken division may let the next op be separated


def parts(node: Node, types: Mapping[str, TensorType], value: str, divisor: int) -> tuple[Node, ...]:
    """The nodes that replace a Separable one which reads the integers `value` over `divisor`."""
    assert isinstance(node.op, Separable)
    separated = node.op.separated(types[value], divisor)
    names = [type(op).__name__.lower() for op in separated.floats]
    values = [f"{node.output}.sum", *(f"{node.output}.{name}" for name in names[:-1]), node.output]
    floats = zip(names, separated.floats, values, values[1:], strict=False)
    return (
        Node(node.name, separated.exact, (value,), values[0]),
        *(Node(f"{node.name}.{name}", op, (before,), after) for name, op, before, after in floats),
    )


def integer_source(graph: Graph, types: Mapping[str, TensorType], value: str) -> tuple[str, int] | None:
    """The integers x and the power of two d for which `value` holds x / d, exactly; None where there are none."""
    if not isinstance(types[value].element, FloatType):
        return value, 1
    producer = graph.producer(value)
    divisor = None if producer is None else divisor_of(producer)
    if producer is None or divisor is None or divisor.bit_count() != 1:
        return None
    source = integer_source(graph, types, producer.inputs[0])
    return source and (source[0], source[1] * divisor)


def sink_divisions(graph: Graph) -> Graph:
    """v = s / n; y = op(v)  ->  y.sum = op(s); y = y.sum / n, for integer ops, as often as it applies."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if nodes and sinks_through(graph, nodes[-1], node):
            division, total = nodes.pop(), f"{node.output}.sum"
            nodes.append(replace(node, inputs=division.inputs, output=total))
            nodes.append(replace(division, inputs=(total,), output=node.output))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def sinks_through(graph: Graph, division: Node, reader: Node) -> bool:
    """Whether `division` is one whose quotient only `reader` reads, which may as well come before it."""
    value, divisor = division.output, divisor_of(division)
    alone = value not in graph.outputs and reader.inputs == (value,) and len(graph.consumers(value)) <= 1
    return alone and reader.op.INTEGER and (divisor == 1 or (divisor is not None and reader.op.HOMOGENEOUS))


def divisor_of(node: Node) -> int | None:
    """What the node divides by, 1 where it changes integers to floats; None where it does anything else."""
    return node.op.divides_by if isinstance(node.op, Elementwise) else None

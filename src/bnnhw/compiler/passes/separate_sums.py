"""Separation of a layer's exact sums from the float arithmetic behind them.

Tests: tests/compiler/passes/test_separate_sums.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Activation, Elementwise, Rearrangement, Selection, Separable
from bnnhw.compiler.ir.types import FloatType, QuotientType, TensorType, is_exact_in_float32

from .rewrite import drop_unread, replace_nodes


def separate_sums(graph: Graph) -> Graph:
    """y = op(x / d)  ->  y.sum = exact(x); …; y = floats(y.sum), where x holds integers and the op takes this d.

    A layer with binary weights is a MatMul or a Conv, with scale and bias behind it, which without either are the
    change from integer to float alone; an average pooling is a SumPool and a division. An integer op behind a
    division, or behind the mere change of sums to floats, comes before it where that is the same.
    """
    graph = sink_divisions(graph)
    types = infer_types(graph)

    def separated(node: Node) -> tuple[Node, ...]:
        if not isinstance(node.op, Separable):
            return (node,)
        source = integer_source(graph, types, node.inputs[0])
        takes = source is not None and node.op.takes(types[source[0]], source[1])
        return parts(node, types, *source) if source is not None and takes else (node,)

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
    """The integers x and the d for which `value` holds x / d, rounded once at most; None where there are none."""
    if not isinstance(types[value].element, FloatType):
        return value, 1
    producer = graph.producer(value)
    divisor = None if producer is None else divisor_of(producer)
    if producer is None or divisor is None:
        return None
    source = integer_source(graph, types, producer.inputs[0])
    if source is None or min(divisor.bit_count(), source[1].bit_count()) > 1:
        return None
    return source[0], source[1] * divisor


def sink_divisions(graph: Graph) -> Graph:
    """v = s / n; y = op(v)  ->  y.sum = op(s); y = y.sum / n, for integer ops, as often as it applies.

    All inputs of an op are over the same n, or some are without it where n is 1. Where others read v, too, they keep
    it; floats of integers, which n = 1 makes, each of them makes itself.
    """
    types = infer_types(graph)
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        before = [nodes[value] for value in node.inputs if value in nodes and divisor_of(nodes[value]) is not None]
        sources = {division.output: division.inputs[0] for division in before}
        inputs = tuple(sources.get(value, value) for value in node.inputs)
        shared = any(graph.consumers(value) != (node,) or value in graph.outputs for value in sources)
        if before and sinks_through(types, before, node):
            total = f"{node.output}.sum"
            nodes[total] = replace(node, inputs=inputs, output=total)
            name = f"{node.name}.{type(before[0].op).__name__.lower()}" if shared else before[0].name
            node = replace(before[0], name=name, inputs=(total,), output=node.output)
        elif shared and isinstance(node.op, Elementwise | Activation) and divisor_of(before[0]) == 1:
            node = replace(node, inputs=inputs)
        nodes[node.output] = node
    sunk = drop_unread(replace(graph, nodes=tuple(nodes.values())))
    return graph if sunk.nodes == graph.nodes else sink_divisions(sunk)  # a second division may stand before the first


def sinks_through(types: Mapping[str, TensorType], divisions: Sequence[Node], reader: Node) -> bool:
    """Whether `divisions`, whose quotients `reader` reads, may as well come behind it."""
    divisor, others = divisor_of(divisions[0]), {*reader.inputs} - {node.output for node in divisions}
    if not reader.op.INTEGER or any(divisor_of(node) != divisor for node in divisions):
        return False
    if not isinstance(reader.op, Rearrangement | Selection) and any(
        is_rounded(types[node.output]) for node in divisions
    ):
        return False
    if divisor == 1:
        return all(not isinstance(types[value].element, FloatType) for value in others)
    return reader.op.HOMOGENEOUS and not others


def is_rounded(quotients: TensorType) -> bool:
    """Whether some of a division's integers are rounded on their way to float32."""
    element = quotients.element
    return isinstance(element, QuotientType) and not is_exact_in_float32(TensorType(quotients.shape, element.sums))


def divisor_of(node: Node) -> int | None:
    """What the node divides by, 1 where it changes integers to floats; None where it does anything else."""
    return node.op.divides_by if isinstance(node.op, Elementwise) else None

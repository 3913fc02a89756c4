"""Float arithmetic that several read, once for each of them.

Tests: tests/compiler/passes/test_own_floats.py
"""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Elementwise
from bnnhw.compiler.ir.types import FloatType

from .rewrite import drop_unread, floats_before


def own_floats(graph: Graph) -> Graph:
    """v = …float ops…(s); y = a(v); z = b(v)  ->  v = …(s); y = a(v); v.b = …(s); z = b(v.b), where s holds integers.

    So the floats of each reader go into thresholds of its own, of sums that all of them read.
    """
    types = infer_types(graph)
    for node in graph.nodes:
        readers = graph.consumers(node.output)
        if not isinstance(node.op, Elementwise) or len(readers) + (node.output in graph.outputs) < 2:
            continue
        value, floats = floats_before(graph, node.output)
        if not isinstance(types[value].element, FloatType):
            others = readers if node.output in graph.outputs else readers[1:]
            return own_floats(with_copies(graph, floats[-1], others))
    return graph


def with_copies(graph: Graph, shared: Node, readers: tuple[Node, ...]) -> Graph:
    """The graph with a copy of `shared` for each of these readers."""
    nodes: list[Node] = []
    own = {reader.name: f"{shared.output}.{reader.name}" for reader in readers}
    for node in graph.nodes:
        if node.name in own:
            value = own[node.name]
            nodes.append(replace(shared, name=f"{shared.name}.{node.name}", output=value))
            node = replace(node, inputs=tuple(value if one == shared.output else one for one in node.inputs))
        nodes.append(node)
    return drop_unread(replace(graph, nodes=tuple(nodes)))

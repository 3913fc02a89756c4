"""Removal of nodes that change nothing."""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, infer_types


def drop_identities(graph: Graph) -> Graph:
    """y = identity(x); z = op(y)  ->  z = op(x).

    A sign or hard tanh of a +-1 value is an identity too.
    """
    types = infer_types(graph)
    alias: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        inputs = tuple(alias.get(name, name) for name in node.inputs)
        if node.op.is_identity(types[inputs[0]]):
            alias[node.output] = inputs[0]
        else:
            nodes.append(replace(node, inputs=inputs))
    return replace(graph, nodes=tuple(nodes), outputs=tuple(alias.get(name, name) for name in graph.outputs))

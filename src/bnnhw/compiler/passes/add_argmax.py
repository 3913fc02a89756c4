"""The label in the place of scores.

Tests: tests/compiler/passes/test_outputs.py
"""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import ArgMax


def add_argmax(graph: Graph) -> Graph:
    """outputs (scores)  ->  label = argmax(scores); outputs (label).

    Of several outputs those with one score a channel become labels, each with its own name before it; images stay.
    """
    types, single = infer_types(graph), len(graph.outputs) == 1
    labels = {
        output: Node(name, ArgMax(), (output,), name)
        for output in graph.outputs
        if len(types[output].shape) == 1
        for name in ["label" if single else f"{output}.label"]
    }
    outputs = tuple(labels[output].output if output in labels else output for output in graph.outputs)
    return replace(graph, nodes=(*graph.nodes, *labels.values()), outputs=outputs)

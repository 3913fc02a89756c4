"""The label as the graph's output.

Tests: tests/compiler/passes/test_outputs.py
"""

from dataclasses import replace

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import ArgMax


def add_argmax(graph: Graph) -> Graph:
    """outputs (scores)  ->  label = argmax(scores); outputs (label)."""
    if len(graph.outputs) != 1:
        raise FoldError(
            f"a label needs one output of scores; this graph has {len(graph.outputs)}: {list(graph.outputs)}"
        )
    label = Node("label", ArgMax(), graph.outputs, "label")
    return replace(graph, nodes=(*graph.nodes, label), outputs=("label",))

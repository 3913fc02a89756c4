"""The label in the place of scores.

Tests: tests/compiler/passes/test_outputs.py
"""

from dataclasses import replace

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import ArgMax

from .rewrite import drop_unread
from .separate_sums import divisor_of


def add_argmax(graph: Graph) -> Graph:
    """outputs (scores)  ->  label = argmax(scores); outputs (label).

    It reads the integers where scores are the same as floats, or over a power of two, which rounds none. Of several
    outputs those with one score a channel become labels, each with its own name before it; images stay.
    """
    types, single = infer_types(graph), len(graph.outputs) == 1
    labels = {
        output: Node(name, ArgMax(), (as_integers(graph, output),), name)
        for output in graph.outputs
        if len(types[output].shape) == 1
        for name in ["label" if single else f"{output}.label"]
    }
    outputs = tuple(labels[output].output if output in labels else output for output in graph.outputs)
    return drop_unread(replace(graph, nodes=(*graph.nodes, *labels.values()), outputs=outputs))


def as_integers(graph: Graph, value: str) -> str:
    """The integers that a value holds as floats, perhaps over a power of two; the value itself where it is something
    else."""
    while (node := graph.producer(value)) is not None and (divisor_of(node) or 0).bit_count() == 1:
        (value,) = node.inputs
    return value

"""The last layer's exact sums as the graph's output.

Tests: tests/compiler/passes/test_outputs.py
"""

from dataclasses import replace

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, infer_types

from .rewrite import Chain, chains


def expose_sums(graph: Graph) -> Graph:
    """s = product(x); …float ops…; outputs (scores)  ->  s = product(x); outputs (s).

    The sums are integers, before scale and batch norm.
    """
    chain = score_chain(graph)
    nodes = tuple(node for node in graph.nodes if node not in chain.floats)
    return replace(graph, nodes=nodes, outputs=(chain.sums,))


def score_chain(graph: Graph) -> Chain:
    """The last layer's sums and the float layers that make the graph's output, the scores, of them."""
    for chain in chains(graph, infer_types(graph)):
        if graph.outputs == (chain.value,):
            return chain
    raise FoldError(
        f"output {graph.outputs[0]!r} must be the scores of a layer with binary weights, perhaps with float layers "
        "behind it"
    )

"""The last exact sums, or other integers, as the graph's outputs.

Tests: tests/compiler/passes/test_outputs.py
"""

from dataclasses import replace

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.types import FloatType

from .rewrite import drop_unread, floats_before, is_computed


def expose_sums(graph: Graph) -> Graph:
    """s = product(x); …float ops…; outputs (.., y, ..)  ->  s = product(x); outputs (.., s, ..).

    The sums are integers, before scale and batch norm. Outputs that are integers, such as bits, stay.
    """
    types = infer_types(graph)
    outputs = []
    for output in graph.outputs:
        source, floats = floats_before(graph, output)
        if isinstance(types[source].element, FloatType) or (floats and not is_computed(graph, source)):
            raise FoldError(
                f"output {output!r} must be the scores of a layer with binary weights, perhaps with float layers "
                "behind it"
            )
        outputs.append(source)
    return drop_unread(replace(graph, outputs=tuple(outputs)))

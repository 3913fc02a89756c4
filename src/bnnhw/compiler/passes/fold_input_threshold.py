"""Input binarisation by an integer threshold."""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import InputThreshold, Sign, Threshold
from bnnhw.compiler.ir.types import IntType

from .rewrite import replace_nodes


def fold_input_threshold(graph: Graph) -> Graph:
    """y = input_threshold(x, 127.5)  ->  y = threshold(x, 128), for integers x. A sign of integers is a threshold at 0.

    The new threshold is the least integer of x's range whose bit is +1, found by evaluating the old node on all of the
    range; where there is none it is one above the range.
    """
    types = infer_types(graph)

    def rewrite(node: Node) -> tuple[Node, ...]:
        element = types[node.inputs[0]].element
        if not isinstance(node.op, InputThreshold | Sign) or not isinstance(element, IntType):
            return (node,)
        values = np.arange(element.lo, element.hi + 1)
        minus = int(np.count_nonzero(node.op.reference(values) == -1))
        return (replace(node, op=Threshold(np.array([element.lo + minus]))),)

    return replace_nodes(graph, rewrite)

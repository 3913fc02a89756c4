"""Offsets of a layer's sums that have to stay integers, behind what makes floats of them anyway.

Tests: tests/model/pruning/test_offsets.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, Node, infer_types

__all__ = ["with_offset_behind"]


def with_offset_behind(graph: Graph, value: str, offset: NDArray[np.float32]) -> Graph:
    """The graph with `offset` (features,) added to a value where what reads it does not take floats.

    a + b -> norm   ->   a + b -> affine -> norm

    An `Add` adds the offsets of its values, a `Concat` puts them side by side, a flattened image has them in each
    pixel, and the greatest of a window grows as all of it does. An average or a layer with binary weights takes no
    offset: what it reads stays as it is, and the graph with it where that is all.
    """
    if not offset.any():
        return graph
    types = infer_types(graph)
    offsets = {value: offset}
    nodes: list[Node] = []
    shifted: dict[str, str] = {}

    def shift(name: str) -> str:
        """The value with its offset."""
        if name not in shifted:
            shifted[name] = f"{name} + offset"
            affine = ops.Affine(np.ones(1, np.float32), offsets[name])
            nodes.append(Node(f"{nodes_of[name].name}.offset", affine, (name,), shifted[name]))
        return shifted[name]

    nodes_of = {node.output: node for node in graph.nodes}
    for node in graph.nodes:
        if any(name in offsets for name in node.inputs):
            own = [offsets.get(name, np.zeros(types[name].shape[-1], np.float32)) for name in node.inputs]
            match node.op:
                case ops.Add():
                    offsets[node.output] = own[0] + own[1]
                case ops.Concat():
                    offsets[node.output] = np.concatenate(own)
                case ops.Flatten():
                    offsets[node.output] = np.tile(own[0], types[node.output].shape[0] // len(own[0]))
                case ops.MaxPool() | ops.Identity():
                    offsets[node.output] = own[0]
                case ops.BinaryLayer() | ops.AveragePool():
                    pass
                case ops.Affine(weight=None | np.ndarray() as weight, bias=np.ndarray() as bias) if _adds(weight):
                    node = replace(node, op=ops.Affine(weight, bias + own[0]))
                case _:
                    node = replace(node, inputs=(shift(node.inputs[0]),))
        nodes.append(node)
    outputs = tuple(shift(name) if name in offsets else name for name in graph.outputs)
    return replace(graph, nodes=tuple(nodes), outputs=outputs)


def _adds(weight: NDArray[np.float32] | None) -> bool:
    """Whether an affine op with this weight does nothing but add."""
    return weight is None or bool((weight == 1).all())

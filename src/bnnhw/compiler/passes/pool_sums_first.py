"""Max pooling directly behind the sums.

Tests: tests/compiler/passes/test_pool_orders.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Reachable, Selection
from bnnhw.compiler.ir.types import FloatType, TensorType

from .rewrite import FloatChain, chains, floats_before, is_monotone, sums_in_chunks


def pool_sums_first(graph: Graph) -> Graph:
    """s = product(x); z = …float ops…(s); y = max_pool(z)  ->  p = max_pool(s); y = …float ops…(p).

    A channel whose floats fall as the sum rises takes the least sum of a window instead of the greatest. Exact, as
    rounded functions that rise stay so. Raises FoldError for a channel that rises and falls. A Crop, and a Flatten of
    a single pixel, which keep the channels, go the same way; and so it is behind integers that others read, too.
    """
    types = infer_types(graph)
    for chain in chains(graph, types):
        if chain.floats and chain.end is not None and chain.end.op.moves_values(types[chain.end.inputs[0]]):
            return pool_sums_first(replace(graph, nodes=reordered(graph, chain, chain.sums, chain.end)))
    for node in graph.nodes:
        if node.op.ARITY == 1 and node.op.moves_values(types[node.inputs[0]]):
            value, floats = floats_before(graph, node.inputs[0], alone=True)
            if floats and not isinstance(types[value].element, FloatType):
                chain = FloatChain(reachable=reachable_of(types[value]), floats=floats)
                return pool_sums_first(replace(graph, nodes=reordered(graph, chain, value, node)))
    return graph


def reachable_of(integers: TensorType) -> Reachable:
    """All integers of a type, in each of its channels."""
    assert not isinstance(integers.element, FloatType)
    lows = np.full(integers.shape[-1], integers.element.lo)
    return Reachable(lows, integers.element.step, integers.element.count)


def reordered(graph: Graph, chain: FloatChain, sums: str, pool: Node) -> tuple[Node, ...]:
    """The graph's nodes with `pool`, which reads the chain's last value, between the sums and the chain's floats."""
    op, value = pool.op, f"{pool.output}.sum"
    if isinstance(op, Selection):
        op = op.inverted(falls(chain, pool))
    nodes = [replace(pool, op=op, inputs=(sums,), output=value)]
    for node in chain.floats:
        output = pool.output if node is chain.floats[-1] else f"{node.output}.pooled"
        nodes.append(replace(node, inputs=(value,), output=output))
        value = output
    moved = {node.name for node in (*chain.floats, pool)}
    return tuple(
        new
        for node in graph.nodes
        if node is pool or node.name not in moved
        for new in (nodes if node is pool else [node])
    )


def falls(chain: FloatChain, pool: Node) -> NDArray[np.bool_]:
    """Which channels of the chain before a pooling fall as their sum rises: (rows,)."""
    last, greatest = chain.apply_finite(np.stack([chain.reachable.lows, chain.reachable.highs]))
    if is_monotone(chain):
        return greatest < last
    rises, falling = np.zeros((2, len(chain.reachable.lows)), np.bool_)
    for sums in sums_in_chunks(chain.reachable):
        values = np.concatenate([last[None], chain.apply_finite(sums)])
        rises |= (values[1:] > values[:-1]).any(axis=0)
        falling |= (values[1:] < values[:-1]).any(axis=0)
        last = values[-1]
    if (bad := np.flatnonzero(rises & falling)).size:
        raise FoldError(
            f"layer {pool.name!r}: channel {bad[0]} rises and falls before it as its sum rises; "
            "only monotone layers between a sum and a pooling can be folded"
        )
    return falling

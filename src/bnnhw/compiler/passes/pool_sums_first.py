"""Max pooling directly behind the sums.

Tests: tests/compiler/passes/test_pool_orders.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Selection

from .rewrite import Chain, chains, is_monotone, sums_in_chunks


def pool_sums_first(graph: Graph) -> Graph:
    """s = product(x); z = …float ops…(s); y = max_pool(z)  ->  p = max_pool(s); y = …float ops…(p).

    A channel whose floats fall as the sum rises takes the least sum of a window instead of the greatest. Exact, as
    rounded functions that rise stay so. Raises FoldError for a channel that rises and falls. A Crop, and a Flatten of
    a single pixel, which keep the channels, go the same way.
    """
    types = infer_types(graph)
    for chain in chains(graph, types):
        if chain.floats and chain.end is not None and chain.end.op.moves_values(types[chain.end.inputs[0]]):
            return pool_sums_first(replace(graph, nodes=reordered(graph, chain, chain.end)))
    return graph


def reordered(graph: Graph, chain: Chain, pool: Node) -> tuple[Node, ...]:
    """The graph's nodes with `pool`, the chain's end, before the chain's floats."""
    op, value = pool.op, f"{pool.output}.sum"
    if isinstance(op, Selection):
        op = op.inverted(falls(chain))
    nodes = [replace(pool, op=op, inputs=(chain.sums,), output=value)]
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


def falls(chain: Chain) -> NDArray[np.bool_]:
    """Which channels of the chain fall as their sum rises: (rows,)."""
    last, greatest = chain.apply_finite(np.stack([chain.reachable.lows, chain.reachable.highs]))
    if is_monotone(chain):
        return greatest < last
    rises, falling = np.zeros((2, chain.channels), np.bool_)
    for sums in sums_in_chunks(chain.reachable):
        values = np.concatenate([last[None], chain.apply_finite(sums)])
        rises |= (values[1:] > values[:-1]).any(axis=0)
        falling |= (values[1:] < values[:-1]).any(axis=0)
        last = values[-1]
    if (bad := np.flatnonzero(rises & falling)).size:
        raise FoldError(
            f"layer {chain.root.name!r}: channel {bad[0]} rises and falls as its sum rises, before a max pooling; "
            "only monotone layers between a sum and a pooling can be folded"
        )
    return falling

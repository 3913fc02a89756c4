"""Exact folding of batch norm, scale, bias, activation and sign into one integer threshold a channel.

The idea is FINN's (Umuroglu et al., https://arxiv.org/abs/1612.07119, section 4.2.2), which solves the batch norm for
its zero. Here the trained float32 arithmetic is evaluated at every sum that a channel can reach, and the crossing is
read off: so the integer network equals the trained one bit for bit, whatever the rounding.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir import Graph, Node, infer_types
from bnnhw.compiler.ops import MatMul, Sign, Threshold

from .rewrite import FloatChain, float_chains, sums_in_chunks


def fold_batch_norm(graph: Graph) -> Graph:
    """s = matmul(x, w); …float ops…; y = sign(z)  ->  s.rising = matmul(x, w'); y = threshold(s.rising, t).

    w' is w with the rows inverted whose sign falls as the sum rises. A channel that is always +1 gets the least sum
    that it can reach as its threshold, one that never is gets one step above the greatest. Raises FoldError for a
    sign that rises and falls again.
    """
    folded: dict[str, tuple[Node, Node]] = {}
    dropped: set[str] = set()
    for chain in float_chains(graph, infer_types(graph)):
        if chain.end and isinstance(chain.end.op, Sign):
            folded[chain.matmul.name] = fold_chain(chain, chain.end)
            dropped |= {node.name for node in (*chain.floats, chain.end)}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_chain(chain: FloatChain, sign: Node) -> tuple[Node, Node]:
    """The two integer nodes that replace a chain ending in `sign`."""
    crossings, reachable = find_crossings(chain), chain.reachable
    if (bad := np.flatnonzero(crossings.changes > 1)).size:
        raise FoldError(
            f"layer {chain.matmul.name!r}: the sign of channel {bad[0]} changes {crossings.changes[bad[0]]} times "
            f"as its sum rises; only monotone layers between a sum and its sign can be folded"
        )
    falling = (crossings.changes == 1) & crossings.first
    # `positive` sums have the sign +1: the greatest ones in a rising channel, the least ones in a falling channel.
    rises_at = reachable.lows + reachable.step * (reachable.count - crossings.positive)
    falls_after = reachable.lows + reachable.step * (crossings.positive - 1)
    weights = np.where(falling[:, None], -chain.op.weights, chain.op.weights)
    total = f"{chain.matmul.output}.rising"
    return (
        Node(chain.matmul.name, MatMul(weights), chain.matmul.inputs, total),
        Node(sign.name, Threshold(np.where(falling, -falls_after, rises_at)), (total,), sign.output),
    )


@dataclass(frozen=True)
class Crossings:
    """Each channel's signs over its reachable sums: how many are +1, whether the first is, how often they change."""

    positive: NDArray[np.int64]
    first: NDArray[np.bool_]
    changes: NDArray[np.int64]


def find_crossings(chain: FloatChain) -> Crossings:
    """The sign of the chain at every reachable sum of every channel, counted."""
    positive, changes = np.zeros(chain.op.rows, np.int64), np.zeros(chain.op.rows, np.int64)
    first = last = chain.apply(chain.reachable.lows[None])[0] >= 0
    for sums in sums_in_chunks(chain.reachable):
        signs = chain.apply(sums) >= 0
        # A chunk has at most 255 rows, so that its counts fit the bytes that numpy adds up fastest.
        positive += np.add.reduce(signs.view(np.uint8), axis=0, dtype=np.uint8)
        changes += last != signs[0]
        changes += np.add.reduce((signs[1:] != signs[:-1]).view(np.uint8), axis=0, dtype=np.uint8)
        last = signs[-1]
    return Crossings(positive, first, changes)

"""Exact folding of batch norm, scale, bias, activation and sign into integer thresholds.

The idea is FINN's (Umuroglu et al., https://arxiv.org/abs/1612.07119, section 4.2.2), which solves the batch norm for
its zero. Here the trained float32 arithmetic is evaluated at every sum that a channel can reach, and the crossing is
read off, or bisected where there are many sums: so the integer network equals the trained one bit for bit, whatever
the rounding.
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Activation, Selection

from .crossings import falling_channels, find_crossings
from .rewrite import Chain, chains


def fold_batch_norm(graph: Graph) -> Graph:
    """s = product(x, w); …poolings, float ops…; y = sign(z)  ->  s.rising = product(x, w'); …; y = threshold(…, t).

    w' is w with the rows inverted whose sign falls as the sum rises; a max pooling takes the least of those sums. A
    channel that is always +1 gets the least sum that it can reach as its threshold, one that never is gets one step
    above the greatest. A quantised activation of several bits gets a threshold for each of its levels. Raises FoldError
    for an activation that rises and falls again.
    """
    folded: dict[str, tuple[Node, ...]] = {}
    dropped: set[str] = set()
    for chain in chains(graph, infer_types(graph)):
        if chain.end and isinstance(chain.end.op, Activation):
            folded[chain.product.name] = fold_chain(chain, chain.end, chain.end.op)
            dropped |= {node.name for node in (*chain.pools, *chain.floats, chain.end)}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_chain(chain: Chain, end: Node, activation: Activation) -> tuple[Node, ...]:
    """The integer nodes that replace a chain ending in `end`."""
    crossings, reachable = find_crossings(chain, activation), chain.reachable
    falling = falling_channels(chain.product.name, crossings)
    # The sums that reach a level are the greatest ones in a rising channel, the least ones in a falling channel.
    rises_at = reachable.lows + reachable.step * (reachable.count - crossings.reached)
    falls_after = reachable.lows + reachable.step * (crossings.reached - 1)
    thresholds = np.where(falling, -falls_after, rises_at)
    value = f"{chain.product.output}.rising"
    nodes = [Node(chain.product.name, chain.op.inverted(falling), chain.product.inputs, value)]
    for node in chain.pools:
        op = node.op.inverted(falling) if isinstance(node.op, Selection) else node.op
        nodes.append(Node(node.name, op, (value,), f"{node.output}.rising"))
        value = nodes[-1].output
    return (*nodes, Node(end.name, activation.thresholded(thresholds, chain.op.rows), (value,), end.output))

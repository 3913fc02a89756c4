"""Exact folding of batch norm, scale, bias, activation and sign into integer thresholds.

The idea is FINN's (Umuroglu et al., https://arxiv.org/abs/1612.07119, section 4.2.2), which solves the batch norm for
its zero. Here the trained float32 arithmetic is evaluated at every sum that a channel can reach, and the crossing is
read off, or bisected where there are many sums: so the integer network equals the trained one bit for bit, whatever
the rounding.
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Activation, Product, Selection

from .crossings import falling_channels, find_crossings
from .rewrite import Chain, chains


def fold_batch_norm(graph: Graph) -> Graph:
    """s = product(x, w); …poolings, float ops…; y = sign(z)  ->  s.rising = product(x, w'); …; y = threshold(…, t).

    w' is w with the rows inverted whose sign falls as the sum rises, in all products whose sums are added; a max
    pooling takes the least of those sums. A channel that is always +1 gets the least sum that it can reach as its
    threshold, one that never is gets one step above the greatest. A quantised activation of several bits gets a
    threshold for each of its levels. Raises FoldError for an activation that rises and falls again.
    """
    folded: dict[str, Node] = {}
    dropped: set[str] = set()
    for chain in chains(graph, infer_types(graph)):
        if chain.end and isinstance(chain.end.op, Activation):
            folded |= {node.name: node for node in fold_chain(chain, chain.end, chain.end.op)}
            dropped |= {node.name for node in chain.floats}
    nodes = (folded.get(node.name, node) for node in graph.nodes if node.name not in dropped)
    return replace(graph, nodes=tuple(nodes))


def fold_chain(chain: Chain, end: Node, activation: Activation) -> tuple[Node, ...]:
    """The integer nodes in the places of the chain's head and of `end`, which ends it."""
    crossings, reachable = find_crossings(chain, activation), chain.reachable
    falling = falling_channels(chain.root.name, crossings)
    # The sums that reach a level are the greatest ones in a rising channel, the least ones in a falling channel.
    rises_at = reachable.lows + reachable.step * (reachable.count - crossings.reached)
    falls_after = reachable.lows + reachable.step * (crossings.reached - 1)
    thresholds = np.where(falling, -falls_after, rises_at)
    threshold = activation.thresholded(thresholds, chain.channels)
    rising = {node.output: f"{node.output}.rising" for node in chain.head}
    return (
        *(
            Node(
                node.name,
                node.op.inverted(falling) if isinstance(node.op, Product | Selection) else node.op,
                tuple(rising.get(value, value) for value in node.inputs),
                rising[node.output],
            )
            for node in chain.head
        ),
        Node(end.name, threshold, (rising[chain.sums],), end.output),
    )

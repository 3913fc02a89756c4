"""Exact folding of the float layers between the last sums and the label."""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import ArgMax, ScoreTable

from .rewrite import Chain, chains


def fold_output(graph: Graph) -> Graph:
    """s = product(x); …float ops…; y = argmax(z)  ->  s = product(x); y = argmax(s), where the floats keep the order.

    They do where they are the same strictly rising function for all classes. Otherwise a table of ranks comes between:
    s = product(x); s.rank = score_table(s); y = argmax(s.rank). Both give the trained label for every input, ties
    included.
    """
    folded: dict[str, tuple[Node, ...]] = {}
    dropped: set[str] = set()
    for chain in chains(graph, infer_types(graph)):
        if chain.floats and chain.end and isinstance(chain.end.op, ArgMax):
            folded[(chain.product, *chain.pools)[-1].name] = fold_scores(chain, chain.end)
            dropped |= {node.name for node in (*chain.floats, chain.end)}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_scores(chain: Chain, label: Node) -> tuple[Node, ...]:
    """The integer nodes that replace the last node of the sums, the chain's floats and the arg max `label`."""
    last = (chain.product, *chain.pools)[-1]
    if keeps_order(chain):
        return (last, replace(label, inputs=(last.output,)))
    ranks = Node(f"{chain.product.name}.ranks", rank_table(chain), (last.output,), f"{last.output}.rank")
    return (last, ranks, replace(label, inputs=(ranks.output,)))


def keeps_order(chain: Chain) -> bool:
    """Whether the chain is one strictly rising function for all classes, at every sum that any of them can reach."""
    reachable = chain.reachable
    sums = np.arange(reachable.lows.min(), reachable.highs.max() + 1, reachable.step)
    scores = chain.apply_finite(np.repeat(sums[:, None], chain.op.rows, axis=1))
    return bool((scores == scores[:, :1]).all() and (np.diff(scores[:, 0]) > 0).all())


def rank_table(chain: Chain) -> ScoreTable:
    """The dense ranks of all scores of all classes."""
    reachable = chain.reachable
    scores = chain.apply_finite(reachable.lows + reachable.step * np.arange(reachable.count)[:, None]).T
    ranks = np.unique(scores, return_inverse=True)[1].reshape(scores.shape)
    return ScoreTable(ranks.astype(np.int64), reachable.lows, reachable.step)

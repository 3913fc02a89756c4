"""Exact folding of the float layers between the last sums and the label."""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import ArgMax, Reachable, ScoreTable

from .rewrite import Chain, chains, sums_in_chunks

CHUNK = 2**14
"""Sums that are evaluated at a time."""
MOST_ENTRIES = 2**24
"""Of a table of ranks: hundreds of times what block RAM holds, and as much as numpy sorts in seconds."""


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
            folded[chain.head[-1].name] = fold_scores(chain, chain.end)
            dropped |= {node.name for node in (*chain.floats, chain.end)}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_scores(chain: Chain, label: Node) -> tuple[Node, ...]:
    """The integer nodes that replace the last node of the sums, the chain's floats and the arg max `label`."""
    last = chain.head[-1]
    if keeps_order(chain):
        return (last, replace(label, inputs=(last.output,)))
    ranks = Node(f"{chain.root.name}.ranks", rank_table(chain), (last.output,), f"{last.output}.rank")
    return (last, ranks, replace(label, inputs=(ranks.output,)))


def keeps_order(chain: Chain) -> bool:
    """Whether the chain is one strictly rising function for all classes, at every sum that any of them can reach."""
    reachable = chain.reachable
    least, greatest = int(reachable.lows.min()), int(reachable.highs.max())
    last = -np.inf
    every = Reachable(np.full(chain.channels, least), reachable.step, (greatest - least) // reachable.step + 1)
    for sums in sums_in_chunks(every, rows=CHUNK):
        scores = chain.apply_finite(sums)
        if (scores != scores[:, :1]).any() or not last < scores[0, 0] or (np.diff(scores[:, 0]) <= 0).any():
            return False
        last = scores[-1, 0]
    return True


def rank_table(chain: Chain) -> ScoreTable:
    """The dense ranks of all scores of all classes. Raises FoldError where they are too many for a table."""
    reachable = chain.reachable
    if (entries := chain.channels * reachable.count) > MOST_ENTRIES:
        raise FoldError(
            f"layer {chain.root.name!r} can make {reachable.count} sums a class, and the float layers behind it "
            f"change their order or make some of them equal: a table of their ranks would have {entries} entries, and "
            f"{MOST_ENTRIES} are the most; leave those layers out, or put a layer with a sign before this one"
        )
    scores = chain.apply_finite(reachable.lows + reachable.step * np.arange(reachable.count)[:, None]).T
    ranks = np.unique(scores, return_inverse=True)[1].reshape(scores.shape)
    return ScoreTable(ranks.astype(np.int64), reachable.lows, reachable.step)

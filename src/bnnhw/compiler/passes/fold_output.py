"""Exact folding of the float layers between the last sums and the label."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir import Graph, Node, infer_types
from bnnhw.compiler.ops import ArgMax, ScoreTable

from .rewrite import FloatChain, float_chains


def fold_output(graph: Graph) -> Graph:
    """s = matmul(x); …float ops…; y = argmax(z)  ->  s = matmul(x); y = argmax(s), where the floats keep the order.

    They do where they are the same strictly rising function for all classes. Otherwise a table of ranks comes between:
    s = matmul(x); s.rank = score_table(s); y = argmax(s.rank). Both give the trained label for every input, ties
    included.
    """
    folded: dict[str, tuple[Node, ...]] = {}
    dropped: set[str] = set()
    for chain in float_chains(graph, infer_types(graph)):
        if chain.floats and chain.end and isinstance(chain.end.op, ArgMax):
            folded[chain.matmul.name] = fold_scores(chain, chain.end)
            dropped |= {node.name for node in (*chain.floats, chain.end)}
    nodes = (new for node in graph.nodes if node.name not in dropped for new in folded.get(node.name, (node,)))
    return replace(graph, nodes=tuple(nodes))


def fold_scores(chain: FloatChain, label: Node) -> tuple[Node, ...]:
    """The integer nodes that replace a chain ending in the arg max `label`."""
    matmul = chain.matmul
    if keeps_order(chain):
        return (matmul, replace(label, inputs=(matmul.output,)))
    ranks = Node(f"{matmul.name}.ranks", rank_table(chain), (matmul.output,), f"{matmul.output}.rank")
    return (matmul, ranks, replace(label, inputs=(ranks.output,)))


def keeps_order(chain: FloatChain) -> bool:
    """Whether the chain is one strictly rising function for all classes, at every sum that any of them can reach."""
    reachable = chain.reachable
    sums = np.arange(reachable.lows.min(), reachable.highs.max() + 1, reachable.step)
    scores = finite_scores(chain, np.repeat(sums[:, None], chain.op.rows, axis=1))
    return bool((scores == scores[:, :1]).all() and (np.diff(scores[:, 0]) > 0).all())


def rank_table(chain: FloatChain) -> ScoreTable:
    """The dense ranks of all scores of all classes."""
    reachable = chain.reachable
    scores = finite_scores(chain, reachable.lows + reachable.step * np.arange(reachable.count)[:, None]).T
    ranks = np.unique(scores, return_inverse=True)[1].reshape(scores.shape)
    return ScoreTable(ranks.astype(np.int64), reachable.lows, reachable.step)


def finite_scores(chain: FloatChain, sums: NDArray[np.int64]) -> NDArray[np.float32]:
    """The chain's scores for sums (N, classes), none of them NaN."""
    scores = chain.apply(sums)
    if (bad := np.argwhere(np.isnan(scores))).size:
        entry, channel = bad[0]
        raise FoldError(
            f"value {chain.value!r}: the score of class {channel} is NaN for a sum of {sums[entry, channel]}"
        )
    return scores

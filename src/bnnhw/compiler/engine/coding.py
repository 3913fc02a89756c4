"""Nodes of a graph that make codes of numbers, and what may stand behind their thresholds.

Tests: tests/compiler/engine/test_from_graph.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import DepthToSpace, Invert, Levels, MaxPool, MultiThreshold, Threshold

__all__ = ["Coding", "coding_of", "is_code"]


@dataclass(frozen=True, eq=False)
class Coding:
    """Codes of numbers as bits: the i-th one says whether a code is more than i.

    Attributes
    ----------
    nodes : tuple of Node
        The thresholds, and what stands behind them.
    thresholds : (levels, rows) int64
        The i-th bit is 1 where a number is at least this.
    falls : (rows,) bool
        Rows whose bits are 1 where it is less.
    pool : MaxPool, optional
        The numbers of a window of which one is compared.
    least : (rows,) bool
        Rows of which that is the least one.
    block : int
        Channels become pixels, block x block of them.
    """

    nodes: tuple[Node, ...]
    thresholds: NDArray[np.int64]
    falls: NDArray[np.bool_]
    pool: MaxPool | None = None
    least: NDArray[np.bool_] | None = None
    block: int = 1

    @property
    def output(self) -> str:
        """The value of the codes."""
        return self.nodes[-1].output

    @property
    def is_plain(self) -> bool:
        """Whether it is a single bit, which is 1 where a number is at least a threshold, of numbers of the map."""
        padding = (0, 0) if self.pool is None else self.pool.padding
        return len(self.thresholds) == 1 and not self.falls.any() and padding == (0, 0)

    @property
    def names(self) -> Sequence[str]:
        """The maps of its bits."""
        levels = len(self.thresholds)
        return (self.output,) if levels == 1 else tuple(f"{self.output}.{level}" for level in range(levels))

    def followed(self, node: Node) -> "Coding | None":
        """With one more node behind it; None where that is no part of it."""
        nodes, op = (*self.nodes, node), node.op
        if self.block > 1:
            return None
        if isinstance(op, Invert):
            turned = np.where(op.channels, self.thresholds[::-1], self.thresholds)
            return replace(self, nodes=nodes, thresholds=turned, falls=self.falls ^ op.channels)
        if isinstance(op, MaxPool) and self.pool is None and op.kernel != (1, 1):
            least = self.falls if op.minimum is None else self.falls ^ op.minimum
            return replace(self, nodes=nodes, pool=op, least=least)
        if isinstance(op, DepthToSpace):
            return replace(self, nodes=nodes, block=op.block)
        return None


def coding_of(core: Graph, node: Node, rows: int, *, moves: bool) -> Coding | None:
    """A node's thresholds of so many rows, and all that stands behind them and is read by nothing else; None where it
    has none. moves: with poolings, and channels that become pixels."""
    op = node.op
    if isinstance(op, Threshold):
        thresholds = np.broadcast_to(op.thresholds, (1, rows))
    elif isinstance(op, MultiThreshold):
        thresholds = op.thresholds
    else:
        return None
    coding: Coding | None = Coding((node,), thresholds, np.zeros(rows, bool))
    found = coding
    while coding is not None:
        found, readers = coding, core.consumers(coding.output)
        alone = len(readers) == 1 and coding.output not in core.outputs
        alone = alone and (moves or isinstance(readers[0].op, Invert))
        coding = coding.followed(readers[0]) if alone else None
    return found


def is_code(op: Levels) -> bool:
    """Whether values rise evenly with their codes, so that codes are what a product reads of them."""
    steps = np.diff(op.values)
    return bool((steps == steps[0]).all()) and int(steps[0]) > 0

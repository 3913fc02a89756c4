"""What several passes share: replacing nodes, and the float chain that hangs on a matrix product."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir import Graph, Node, TensorType
from bnnhw.compiler.ops import Elementwise, MatMul, Reachable


def replace_nodes(graph: Graph, rewrite: Callable[[Node], Iterable[Node]]) -> Graph:
    """The graph with each node replaced by what `rewrite` makes of it: none, one or several nodes."""
    return replace(graph, nodes=tuple(new for node in graph.nodes for new in rewrite(node)))


@dataclass(frozen=True)
class FloatChain:
    """A MatMul, the sums that it can reach, the elementwise float ops behind it in order, and the node that ends them.

    `end` is None where the chain ends in an output of the graph.
    """

    matmul: Node
    op: MatMul
    reachable: Reachable
    floats: tuple[Node, ...]
    end: Node | None

    @property
    def value(self) -> str:
        """The last float value (or the sum itself where there is no float op)."""
        return (self.floats or (self.matmul,))[-1].output

    def apply(self, sums: NDArray[Any]) -> NDArray[Any]:
        """The chain's floats (without its end) for sums (N, rows): the trained network's own arithmetic."""
        for node in self.floats:
            sums = node.op.reference(sums)
        return sums


def float_chains(graph: Graph, types: Mapping[str, TensorType]) -> Iterator[FloatChain]:
    """The chain behind every MatMul, in order. Raises FoldError where one branches."""
    for node in graph.nodes:
        if isinstance(node.op, MatMul):
            yield float_chain(graph, node, node.op, node.op.reachable(types[node.inputs[0]].element))


def float_chain(graph: Graph, matmul: Node, op: MatMul, reachable: Reachable) -> FloatChain:
    """The chain behind one MatMul. A value within it may have no second reader, nor be an output of the graph."""
    floats: list[Node] = []
    value = matmul.output
    while True:
        readers = graph.consumers(value)
        if not readers:
            return FloatChain(matmul, op, reachable, tuple(floats), None)
        if len(readers) > 1 or value in graph.outputs:
            raise FoldError(f"layer {matmul.name!r}: value {value!r} may have one reader only, but has more")
        reader = next(iter(readers))
        if not isinstance(reader.op, Elementwise):
            return FloatChain(matmul, op, reachable, tuple(floats), reader)
        floats.append(reader)
        value = reader.output


def sums_in_chunks(reachable: Reachable, rows: int = 255) -> Iterable[NDArray[np.int64]]:
    """Every reachable sum in rising order, as arrays (at most `rows`, channels) that fit a cache."""
    for start in range(0, reachable.count, rows):
        steps = np.arange(start, min(start + rows, reachable.count), dtype=np.int64)
        yield reachable.lows + reachable.step * steps[:, None]

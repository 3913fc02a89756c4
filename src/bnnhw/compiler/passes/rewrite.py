"""What several passes share: replacing nodes, and the chain of ops that hangs on a product.

Tests: tests/compiler/passes/test_integerize.py
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import Activation, Elementwise, Op, Product, Reachable, Sum
from bnnhw.compiler.ir.types import TensorType


def replace_nodes(graph: Graph, rewrite: Callable[[Node], Iterable[Node]]) -> Graph:
    """The graph with each node replaced by what `rewrite` makes of it: none, one or several nodes."""
    return replace(graph, nodes=tuple(new for node in graph.nodes for new in rewrite(node)))


def swap_neighbours(graph: Graph, first: Node, second: Node, between: str, ops: Sequence[Op] | None = None) -> Graph:
    """v = first(x); y = second(v)  ->  between = second(x); y = first(between).

    Where `first` reads several values there is a `second` for each, and names are numbered. ops: what these are, if not
    what `second` is.
    """
    numbers = [f".{number}" for number in range(len(first.inputs))] if len(first.inputs) > 1 else [""]
    seconds = [
        Node(f"{second.name}{number}", op, (value,), f"{between}{number}")
        for number, value, op in zip(numbers, first.inputs, ops or [second.op] * len(numbers), strict=True)
    ]
    last = replace(first, inputs=tuple(node.output for node in seconds), output=second.output)
    new = {first.name: (), second.name: (*seconds, last)}
    return replace_nodes(graph, lambda node: new.get(node.name, (node,)))


def drop_unread(graph: Graph) -> Graph:
    """The graph without the nodes whose output nothing reads, nor those that only they read."""
    read, kept = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if node.output in read:
            read |= set(node.inputs)
            kept.append(node)
    return replace(graph, nodes=tuple(reversed(kept)))


@dataclass(frozen=True, kw_only=True)
class FloatChain:
    """Elementwise float ops in order, behind integers of which each channel can reach `reachable`."""

    reachable: Reachable
    floats: tuple[Node, ...]

    def apply(self, sums: NDArray[Any]) -> NDArray[Any]:
        """The floats' values for integers (N, rows)."""
        return apply_floats(self.floats, sums)

    def apply_finite(self, sums: NDArray[np.int64]) -> NDArray[Any]:
        """`apply`, and a FoldError where it gives NaN."""
        values = self.apply(sums)
        if (bad := np.argwhere(np.isnan(values))).size:
            entry, channel = bad[0]
            raise FoldError(
                f"value {self.floats[-1].output!r}: channel {channel} is NaN for a sum of "
                f"{np.atleast_2d(sums)[entry, channel]}; a factor before it overflows float32"
            )
        return values


@dataclass(frozen=True, kw_only=True)
class Chain(FloatChain):
    """The nodes that make sums, the elementwise float ops behind them in order, and the node that ends them.

    `head` are a product and the poolings of its sums; or two such heads, a `Sum` of what they make, and its poolings.
    `root` is the product or the sum. `reachable` are the sums behind all of them. `end` is None where the chain ends in
    an output of the graph, or in sums that have other readers: these are integers, of which each makes its own.
    """

    root: Node
    head: tuple[Node, ...]
    end: Node | None

    @property
    def channels(self) -> int:
        return len(self.reachable.lows)

    @property
    def sums(self) -> str:
        """The value of the sums behind the poolings."""
        return self.head[-1].output

    @property
    def value(self) -> str:
        """The last float value (or the sum itself where there is no float op)."""
        return (*self.head, *self.floats)[-1].output


def chains(graph: Graph, types: Mapping[str, TensorType]) -> Iterator[Chain]:
    """The chain behind every product, and behind every sum of products' sums, in order. Raises FoldError where one
    branches before it ends."""
    ended: dict[str, Chain] = {}
    for node in graph.nodes:
        op, before = node.op, [ended.get(value) for value in node.inputs]
        if isinstance(op, Product):
            chain = chain_behind(graph, types, (node,), op.reachable(types[node.inputs[0]].element))
        elif isinstance(op, Sum) and all(one is not None for one in before):
            heads = [one for one in before if one is not None]
            names = {made.name for one in heads for made in (*one.head, node)}
            head = tuple(made for made in graph.nodes if made.name in names)
            chain = chain_behind(graph, types, head, op.reachable(*(one.reachable for one in heads)))
        else:
            continue
        if chain.end is not None and not chain.floats:
            ended[chain.sums] = chain
        yield chain


def chain_behind(graph: Graph, types: Mapping[str, TensorType], head: tuple[Node, ...], reachable: Reachable) -> Chain:
    """The chain whose sums the nodes `head` make, the root last. A float value within it may have no second reader, nor
    any value but the last be an output of the graph."""
    root, pools, floats = head[-1], list[Node](), list[Node]()
    value = root.output
    end = None
    while readers := graph.consumers(value):
        if len(readers) > 1 or value in graph.outputs:
            if not floats:
                break
            found = "has more" if len(readers) > 1 else "is an output, too"
            raise FoldError(
                f"layer {root.name!r}: value {value!r} may have one reader only, but {found}; put a Sign or Quantise "
                "before it branches"
            )
        reader = next(iter(readers))
        if isinstance(reader.op, Elementwise):
            floats.append(reader)
        elif not floats and (behind := reader.op.pooled(reachable, types[value])):
            pools.append(reader)
            reachable = behind
        else:
            end = reader
            break
        value = reader.output
    return Chain(root=root, head=(*head, *pools), reachable=reachable, floats=tuple(floats), end=end)


def floats_before(graph: Graph, value: str, *, alone: bool = False) -> tuple[str, tuple[Node, ...]]:
    """(what `value` is made of by elementwise float ops alone; these ops in order). With `alone`, only as far as
    nothing else reads what they make, and no output is."""
    floats: tuple[Node, ...] = ()
    while (before := graph.producer(value)) is not None and isinstance(before.op, Elementwise):
        if alone and (len(graph.consumers(value)) > 1 or value in graph.outputs):
            break
        value, floats = before.inputs[0], (before, *floats)
    return value, floats


def apply_floats(floats: Sequence[Node], integers: NDArray[Any]) -> NDArray[Any]:
    """What float ops, one behind the other, make of integers: the trained network's own arithmetic."""
    for node in floats:
        integers = node.op.reference(integers)
    return integers


def is_computed(graph: Graph, value: str) -> bool:
    """Whether a product lies on the way to `value`."""
    node = graph.producer(value)
    return node is not None and (isinstance(node.op, Product) or any(is_computed(graph, one) for one in node.inputs))


def is_alike(op: Op) -> bool:
    """Whether `op` is a function of each element, whatever its channel."""
    return isinstance(op, Elementwise | Activation) and op.alike


def is_monotone(chain: FloatChain) -> bool:
    """Whether each channel of the chain is known to never fall, or to never rise, over all of its reachable sums.

    Rounding keeps the order of numbers, and so do ops one behind the other that do. Only NaN has no order; where there
    is none at either end, there is none between them.
    """
    ends = np.stack([chain.reachable.lows, chain.reachable.highs])
    monotone = (isinstance(node.op, Elementwise) and node.op.MONOTONE for node in chain.floats)
    return all(monotone) and not np.isnan(chain.apply(ends)).any()


def sums_in_chunks(reachable: Reachable, rows: int = 255) -> Iterable[NDArray[np.int64]]:
    """Every reachable sum in rising order, as arrays (at most `rows`, channels) that fit a cache."""
    for start in range(0, reachable.count, rows):
        steps = np.arange(start, min(start + rows, reachable.count), dtype=np.int64)
        yield reachable.lows + reachable.step * steps[:, None]

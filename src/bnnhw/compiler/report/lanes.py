"""A graph as rows, a node each, with the edges between them in lanes side by side, as `git log --graph` draws history.

Tests: tests/compiler/report/test_lanes.py
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Edge", "Lanes", "lay_out"]

LINES = {
    "": " ", "u": "╵", "d": "╷", "ud": "│", "ur": "╰", "dr": "╭", "udr": "├", "ul": "╯", "dl": "╮", "udl": "┤",
    "lr": "─", "ulr": "┴", "dlr": "┬", "udlr": "┼",
}  # fmt: skip
"""The sign with lines up, down, left, right."""


@dataclass(frozen=True)
class Edge:
    """From a row's node to a later row's, by way of a lane between them."""

    source: int
    target: int
    lane: int


@dataclass(frozen=True)
class Lanes:
    """The lane of each row's node, and the edges. No edge runs through a node that is not its own."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def count(self) -> int:
        """How many lanes there are."""
        return 1 + max((*self.nodes, *(edge.lane for edge in self.edges)), default=0)

    def lines(self, node: str = "●") -> list[str]:
        """Each row as text: its node, what passes by, and what begins and ends here."""
        return [self._line(row, node) for row in range(len(self.nodes))]

    def _line(self, row: int, node: str) -> str:
        own = self.nodes[row]
        up = {edge.lane for edge in self.edges if edge.source < row <= edge.target}
        down = {edge.lane for edge in self.edges if edge.source <= row < edge.target}
        turns = {own} | {edge.lane for edge in self.edges if row in (edge.source, edge.target)}
        first, last = min(turns), max(turns)
        signs = []
        for lane in range(self.count):
            left, right = first < lane <= last, first <= lane < last
            ways = zip((lane in up, lane in down, left, right), "udlr", strict=True)
            signs.append(node if lane == own else LINES["".join(way for there, way in ways if there)])
            signs.append("─" if right else " ")
        return "".join(signs).rstrip()


def lay_out(count: int, edges: Iterable[tuple[int, int]]) -> Lanes:
    """The lanes of `count` rows whose nodes have edges (source row, target row), source < target.

    A node stands in the first lane in which something comes in; what goes on to the next row stays there, and what goes
    further takes the first lane that is free.
    """
    outgoing: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (source, target) in enumerate(edges):
        if not 0 <= source < target < count:
            raise ValueError(f"edge {source} -> {target} must go down, within {count} rows")
        outgoing[source].append((target, number))
    nodes: list[int] = []
    placed: dict[int, Edge] = {}
    active: dict[int, int] = {}  # lane -> the row where it ends
    for row, ways in enumerate(outgoing):
        ended = [lane for lane, target in active.items() if target == row]
        for lane in ended:
            del active[lane]
        nodes.append(min(ended, default=_free(active)))
        for target, number in sorted(ways):
            lane = _free(active) if nodes[row] in active else nodes[row]
            active[lane] = target
            placed[number] = Edge(row, target, lane)
    return Lanes(tuple(nodes), tuple(placed[number] for number in sorted(placed)))


def _free(active: dict[int, int]) -> int:
    """The first lane in which nothing runs."""
    return next(lane for lane in range(len(active) + 1) if lane not in active)

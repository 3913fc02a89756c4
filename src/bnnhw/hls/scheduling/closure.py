"""The most profitable set that holds with each element all that the element implies: a minimum cut (Picard 1976,
https://doi.org/10.1287/mnsc.22.11.1268), found with Dinic's algorithm.

Tests: tests/hls/scheduling/test_closure.py
"""

from collections.abc import Iterable, Sequence

__all__ = ["best_closure"]


def best_closure(profits: Sequence[int], implications: Iterable[tuple[int, int]]) -> set[int]:
    """The smallest set of the greatest total profit, above 0, with b wherever it has a; empty where there is none."""
    source, sink = len(profits), len(profits) + 1
    network = _Network(len(profits) + 2)
    endless = sum(abs(profit) for profit in profits) + 1
    for element, profit in enumerate(profits):
        if profit > 0:
            network.connect(source, element, profit)
        elif profit < 0:
            network.connect(element, sink, -profit)
    for element, implied in implications:
        network.connect(element, implied, endless)
    network.saturate(source, sink)
    return {node for node, level in enumerate(network.levels) if level >= 0} - {source}


class _Network:
    """Edges with what they can still carry; each has its reverse beside it."""

    def __init__(self, nodes: int):
        self.edges: list[list[int]] = [[] for _ in range(nodes)]
        self.ends: list[int] = []
        self.left: list[int] = []
        self.levels: list[int] = []

    def connect(self, start: int, end: int, capacity: int) -> None:
        for one, other, left in ((start, end, capacity), (end, start, 0)):
            self.edges[one].append(len(self.ends))
            self.ends.append(other)
            self.left.append(left)

    def saturate(self, source: int, sink: int) -> None:
        """The greatest flow; `levels` of what the source then still reaches are not negative."""
        while self._level(source)[sink] >= 0:
            following = [0] * len(self.edges)
            while self._push(source, sink, following):
                pass

    def _level(self, source: int) -> list[int]:
        """Of each node how many edges it is away from the source, or -1."""
        self.levels = [-1] * len(self.edges)
        self.levels[source] = 0
        reached = [source]
        for node in reached:
            for edge in self.edges[node]:
                if self.left[edge] and self.levels[self.ends[edge]] < 0:
                    self.levels[self.ends[edge]] = self.levels[node] + 1
                    reached.append(self.ends[edge])
        return self.levels

    def _push(self, source: int, sink: int, following: list[int]) -> int:
        """Sends what one path of a shortest way can carry."""
        path: list[int] = []
        node = source
        while node != sink:
            while following[node] < len(self.edges[node]):
                edge = self.edges[node][following[node]]
                if self.left[edge] and self.levels[self.ends[edge]] == self.levels[node] + 1:
                    path.append(edge)
                    node = self.ends[edge]
                    break
                following[node] += 1
            else:
                if not path:
                    return 0
                node = self.ends[path.pop() ^ 1]
                following[node] += 1
        amount = min(self.left[edge] for edge in path)
        for edge in path:
            self.left[edge] -= amount
            self.left[edge ^ 1] += amount
        return amount

"""Gates of three inputs without redundancy: constants folded, repeated inputs merged, equal gates shared.

Tests: tests/sim/batch/test_program.py
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from .gates import BUFFER

__all__ = ["GateGraph"]

SOURCE = -1  # the table of a node that is not a gate


@cache
def _fix(table: int, n: int, value: int) -> int:
    """The table with input n held at `value`; the result does not depend on input n."""
    return _remap(table, lambda index: index & ~(1 << n) | value << n)


@cache
def _merge(table: int, n: int, m: int) -> int:
    """The table with input n on input m as well; the result does not depend on input m."""
    return _remap(table, lambda index: index & ~(1 << m) | (index >> n & 1) << m)


@cache
def _permute(table: int, order: tuple[int, ...]) -> int:
    """The table whose input k is input order[k] of the given one; inputs that are not in `order` must not matter."""
    return _remap(table, lambda index: sum((index >> k & 1) << n for k, n in enumerate(order)))


def _remap(table: int, source: Callable[[int], int]) -> int:
    """The table whose bit at an index is the given one's at source(index)."""
    return sum((table >> source(index) & 1) << index for index in range(8))


@dataclass
class GateGraph:
    """Nodes (table, a, b, c) over earlier nodes. Nodes 0 and 1 are the constants.

    Attributes
    ----------
    nodes : list
        Every node; a node that is not a gate has the table SOURCE.
    """

    nodes: list[tuple[int, int, int, int]] = field(default_factory=lambda: [(SOURCE, 0, 0, 0), (SOURCE, 0, 0, 0)])
    _known: dict[tuple[int, int, int, int], int] = field(default_factory=dict)

    def source(self) -> int:
        """A new node that is not a gate."""
        self.nodes.append((SOURCE, 0, 0, 0))
        return len(self.nodes) - 1

    def gate(self, table: int, a: int, b: int, c: int) -> int:
        """The node of bit a + 2 b + 4 c of `table`: an earlier one where there is an equal one."""
        inputs = [a, b, c]
        for n in range(3):
            if inputs[n] <= 1:
                table, inputs[n] = _fix(table, n, inputs[n]), 0
        for n, m in ((0, 1), (0, 2), (1, 2)):
            if inputs[m] and inputs[n] == inputs[m]:
                table, inputs[m] = _merge(table, n, m), 0
        used = sorted((node, n) for n, node in enumerate(inputs) if node and _fix(table, n, 0) != _fix(table, n, 1))
        table = _permute(table, tuple(n for _, n in used))
        if table in (0x00, 0xFF):
            return table & 1
        if table == BUFFER:
            return used[0][0]
        a, b, c = [*(node for node, _ in used), 0, 0][:3]
        key = table, a, b, c
        node = self._known.setdefault(key, len(self.nodes))
        if node == len(self.nodes):
            self.nodes.append(key)
        return node

"""Adder graphs, adder by adder.

Tests: tests/hw/hardwired/test_row_sums.py
"""

from collections.abc import Sequence

from .adder_graph import Adder, AdderGraph, RowSum, Term
from .row_group import sum_bits

__all__ = ["GraphBuilder"]


class GraphBuilder:
    """Gathers the adders of a graph on `inputs` bits; equal ones become one."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self._adders: list[Adder] = []
        self._greatest = [1] * inputs
        self._nodes: dict[Adder, int] = {}

    def popcount(self, bits: Sequence[Term]) -> Term:
        """The sum of one bit or more."""
        return sum_bits(bits, self.count)

    def count(self, u: Term, v: Term, carry: Term | None = None) -> Term:
        """u + v + carry of counts, in which only input bits are inverted."""
        u, v = sorted((u, v), key=self.greatest, reverse=True)
        most = sum(self.greatest(term) for term in (u, v, carry) if term is not None)
        return self._node(u, v, 0 if carry is None else carry, most.bit_length(), most)

    def add(self, u: Term, v: Term | int, carry: Term | int, *, width: int) -> Term:
        """(u + v + carry) mod 2^width."""
        return self._node(u, v, carry, width, (1 << width) - 1)

    def subtract(self, u: Term, v: Term, *, width: int) -> Term:
        """(u - v) mod 2^width."""
        return self._node(u, v, 0, width, (1 << width) - 1, subtract=True)

    def greatest(self, number: Term) -> int:
        """The greatest value of a node."""
        return self._greatest[number.node]

    def bits(self, term: Term) -> int:
        """Bits of a term."""
        node = term.node
        return (1 if node < self.inputs else self._adders[node - self.inputs].width) - term.low

    def build(self, rows: Sequence[RowSum]) -> AdderGraph:
        """The graph of these rows."""
        return AdderGraph(self.inputs, tuple(self._adders), tuple(rows))

    def _node(
        self, u: Term, v: Term | int, carry: Term | int, width: int, greatest: int, *, subtract: bool = False
    ) -> Term:
        nodes = [term.node - self.inputs for term in (u, v, carry) if isinstance(term, Term)]
        stage = 1 + max(self._adders[node].stage if node >= 0 else 0 for node in nodes)
        adder = Adder(u, v, carry, width, stage, subtract)
        if adder not in self._nodes:
            self._nodes[adder] = self.inputs + len(self._adders)
            self._adders.append(adder)
            self._greatest.append(greatest)
        return Term(self._nodes[adder])

"""Adder graphs: mismatch sums of rows of constant weights as data, each adder followed by a register.

Tests: tests/hw/hardwired/test_row_sums.py
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Adder", "AdderGraph", "RowSum", "Term", "difference_width"]


@dataclass(frozen=True)
class Term:
    """The bits of a node from bit `low` up, each of them inverted where `inverted`, as an unsigned number."""

    node: int
    low: int = 0
    inverted: bool = False


@dataclass(frozen=True)
class Adder:
    """(u + v + carry) mod 2^width, or (u - v) mod 2^width where `subtract`, in a register.

    `stage` is the number of cycles from the inputs to the sum. An int stands for a constant; of a carry that is a term,
    the lowest bit counts. A subtraction has no carry.
    """

    u: Term
    v: Term | int
    carry: Term | int
    width: int
    stage: int
    subtract: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """The operands that are no constants."""
        return tuple(term for term in (self.u, self.v, self.carry) if isinstance(term, Term))


@dataclass(frozen=True)
class RowSum:
    """A row's mismatch sum, m = offset + low + 2*high.

    `low` is the lowest bit of its term; `high` is in two's complement where `signed`.
    """

    low: Term
    high: Term
    signed: bool
    offset: int


@dataclass(frozen=True)
class AdderGraph:
    """Mismatch sums of rows of constant weights.

    Attributes
    ----------
    inputs : int
        Input bits: the nodes 0 to inputs - 1.
    adders : tuple of Adder
        Node `inputs + i` is adder i; operands come before their users.
    rows : tuple of RowSum
    """

    inputs: int
    adders: tuple[Adder, ...] = field(repr=False)
    rows: tuple[RowSum, ...] = field(repr=False)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Bits of each node."""
        return (1,) * self.inputs + tuple(adder.width for adder in self.adders)

    @cached_property
    def stages(self) -> tuple[int, ...]:
        """Cycles from the inputs to each node."""
        return (0,) * self.inputs + tuple(adder.stage for adder in self.adders)

    @property
    def latency(self) -> int:
        """Cycles from the inputs to all sums in step."""
        return max(self.stages[term.node] for row in self.rows for term in (row.low, row.high))

    @property
    def sum_width(self) -> int:
        """Bits of a row's sum without its offset, in two's complement."""
        return max(1 + self.bits(row.high) + (not row.signed) for row in self.rows)

    def bits(self, term: Term) -> int:
        """Bits of a term."""
        return self.widths[term.node] - term.low

    def input_bits(self, adder: Adder) -> int:
        """Bits that an adder reads, one of the carry."""
        parts = (part for part in (adder.u, adder.v) if isinstance(part, Term))
        return sum(self.bits(part) for part in parts) + isinstance(adder.carry, Term)

    def evaluate(self, x: NDArray[np.integer]) -> NDArray[np.int64]:
        """The mismatch sums, (batch, rows), of input bits (batch, inputs)."""
        nodes = [x[:, column].astype(np.int64) for column in range(self.inputs)]

        def value(operand: Term | int) -> NDArray[np.int64]:
            if isinstance(operand, int):
                return np.full(len(x), operand, np.int64)
            number = nodes[operand.node] >> operand.low
            return number ^ ((1 << self.bits(operand)) - 1) if operand.inverted else number

        for adder in self.adders:
            u, v, carry = value(adder.u), value(adder.v), value(adder.carry) & 1
            nodes.append((u - v if adder.subtract else u + v + carry) & ((1 << adder.width) - 1))
        sums = np.empty((len(x), len(self.rows)), np.int64)
        for index, row in enumerate(self.rows):
            high = value(row.high)
            if row.signed:
                bits = self.bits(row.high)
                high = high - (high >> (bits - 1) << bits)
            sums[:, index] = row.offset + (value(row.low) & 1) + 2 * high
        return sums


def difference_width(size: int, cols: int) -> int:
    """Bits of (T >> 1) - D in two's complement, D of `size` and T of all `cols` mismatches: -ceil(size / 2) at least,
    (cols - size) >> 1 at most."""
    return 1 + max((size - 1) // 2, (cols - size) // 2).bit_length()

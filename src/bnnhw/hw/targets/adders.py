"""What components say of their adders, whatever a target makes of them.

Tests: tests/hw/product/test_popcount.py
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from amaranth.hdl import Const, Signal, Value

__all__ = ["ZERO", "Addend", "Adders"]


class Addend(NamedTuple):
    """The number `bits ^ flip`, where `flip` is a value of the same width or a constant (0: plain `bits`)."""

    bits: Value
    flip: Value | int = 0

    def value(self) -> Value:
        """The number as an expression."""
        return self.bits ^ self.flip if isinstance(self.flip, Value) or self.flip else self.bits

    @classmethod
    def constant(cls, number: int) -> "Addend":
        """`number` as ones, of which some are inverted: an input of a cell that is 1 costs no wire."""
        ones = (1 << number.bit_length()) - 1
        return cls(Const(ones, number.bit_length()), number ^ ones)


ZERO = Addend(Const(0, 0))
"""The number 0, of no bits."""


class Adders(ABC):
    """Adders of one module, which may share carry chains; they are there after `emit`."""

    @abstractmethod
    def add(self, u: Addend, v: Addend, carry: Addend, total: Signal, *, level: int = 0) -> None:
        """Makes `total` = (u + v + carry) mod 2^len(total); `carry` has at most one bit, `u` is the wider operand.

        `level` says how many others the operands pass in the same cycle.
        """

    @abstractmethod
    def subtract(self, u: Addend, v: Addend, total: Signal) -> None:
        """Makes `total` = (u - v) mod 2^len(total); `v` is plain bits, or inverted by a constant."""

    @abstractmethod
    def accumulate(
        self, addend: Addend, carry: Addend, *, old: Value, keep: Value, start: Value, total: Signal, level: int = 0
    ) -> None:
        """Makes `total` = (addend + carry + (old if keep else start)) mod 2^len(total).

        `addend` is plain bits; `old`, `start` and `total` are of one width.
        """

    @abstractmethod
    def look_up(self, function: Callable[..., Any], inputs: Sequence[Addend | int], total: Signal) -> None:
        """Makes `total` = function(*inputs) mod 2^len(total), outside of any chain: for few input bits.

        `function` takes ints as well as values; an int among the inputs is a constant.
        """

    @abstractmethod
    def emit(self) -> None:
        """Adds what has been gathered to the module."""

"""Adders of the iCE40, whose tools make carry chains of sums of two operands.

Tests: tests/hw/targets/test_target.py
"""

from amaranth.hdl import Cat, Mux, Signal, Value

from bnnhw.hw.targets.adders import Addend
from bnnhw.hw.targets.plain import PlainAdders

__all__ = ["Ice40Adders"]


class Ice40Adders(PlainAdders):
    """Each adder is a chain of its own. A carry enters it as the sum of two equal bits below the operands: as a third
    operand it would cost a second adder."""

    def add(self, u: Addend, v: Addend, carry: Addend, total: Signal, *, level: int = 0) -> None:
        self._m.d.comb += total.eq(_sum(u.value(), v.value(), carry.value()))

    def accumulate(
        self, addend: Addend, carry: Addend, *, old: Value, keep: Value, start: Value, total: Signal, level: int = 0
    ) -> None:
        self._m.d.comb += total.eq(_sum(addend.value(), Mux(keep, old, start), carry.value()))


def _sum(u: Value, v: Value, carry: Value) -> Value:
    return (Cat(carry, u) + Cat(carry, v))[len(carry) :]

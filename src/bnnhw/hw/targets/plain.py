"""Adders, block RAMs and multipliers in plain Amaranth.

Tests: tests/hw/storage/test_line_memory.py
"""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

from .adders import Addend, Adders
from .block_ram import BlockRam
from .multiplier import Multiplier

__all__ = ["PlainAdders", "PlainBlockRam", "PlainMultiplier"]


class PlainAdders(Adders):
    """Each adder as an expression."""

    def __init__(self, m: Module):
        self._m = m

    def add(self, u: Addend, v: Addend, carry: Addend, total: Signal, *, level: int = 0) -> None:
        self._m.d.comb += total.eq(u.value() + v.value() + carry.value())

    def subtract(self, u: Addend, v: Addend, total: Signal) -> None:
        self._m.d.comb += total.eq(u.value() - v.value())

    def accumulate(
        self, addend: Addend, carry: Addend, *, old: Value, keep: Value, start: Value, total: Signal, level: int = 0
    ) -> None:
        self._m.d.comb += total.eq(addend.value() + carry.value() + Mux(keep, old, start))

    def look_up(self, function: Callable[..., Any], inputs: Sequence[Addend | int], total: Signal) -> None:
        self._m.d.comb += total.eq(function(*(each if isinstance(each, int) else each.value() for each in inputs)))

    def emit(self) -> None:
        """Nothing is left to add."""


class PlainBlockRam(BlockRam):
    """A block RAM as a memory and a register."""

    def elaborate(self, platform) -> Module:
        m = Module()
        init = [*self.init, *([0] * (self.depth - len(self.init)))]
        m.submodules.memory = memory = Memory(shape=self.width, depth=self.depth, init=init)
        port = memory.read_port(domain="sync")
        data = Signal(self.width, reset_less=True)
        m.d.comb += [port.addr.eq(self.read_address), port.en.eq(self.read_enable), self.read_data.eq(data)]
        with m.If(self.read_enable):
            m.d.sync += data.eq(port.data)
        if self.writable:
            write = memory.write_port()
            m.d.comb += [
                write.en.eq(self.write_enable),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data),
            ]
        return m


class PlainMultiplier(Multiplier):
    """A multiplier as an expression, behind registers."""

    def elaborate(self, platform) -> Module:
        m = Module()
        factors: list[Signal] = [self.a, self.b]
        if self.registers:
            kept = [Signal.like(factor, name=f"{factor.name}_kept", reset_less=True) for factor in factors]
            with m.If(self.enable):
                m.d.sync += [late.eq(factor) for late, factor in zip(kept, factors, strict=True)]
            factors = kept
        m.d.comb += self.p.eq(factors[0] * factors[1])
        return m

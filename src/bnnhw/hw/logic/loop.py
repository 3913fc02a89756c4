"""Nested loops over counters that know from a register that they are at their last step.

Tests: tests/hw/pool/test_pool.py
"""

from amaranth.hdl import Const, Module, Signal, Value

__all__ = ["Loop", "step_loops"]


class Loop:
    """`value` counts 0 .. count - 1, from `start` on, and begins again; `last` says that it is at count - 1."""

    value: Signal
    last: Signal | Const

    def __init__(self, name: str, count: int, *, start: int = 0):
        self.count = count
        self.value = Signal(range(count), name=name, init=start)
        self.last = Const(1, 1) if count == 1 else Signal(name=f"{name}_last", init=start == count - 1)

    def step(self, m: Module) -> None:
        """One step further at the next clock edge, under the conditions that surround the call."""
        if self.count > 1:
            m.d.sync += [self.value.eq(self.value + 1), self.last.eq(self.value == self.count - 2)]
            with m.If(self.last):
                self.restart(m)

    def restart(self, m: Module) -> None:
        """Back to 0 at the next clock edge."""
        if self.count > 1:
            m.d.sync += [self.value.eq(0), self.last.eq(0)]


def step_loops(m: Module, enable: Value, innermost: Loop, *others: Loop) -> None:
    """One step of nested loops: a loop steps at the last step of those inside it."""
    with m.If(enable):
        innermost.step(m)
    if others:
        step_loops(m, enable & innermost.last, *others)

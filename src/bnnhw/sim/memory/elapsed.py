"""How long ago something was.

Tests: tests/sim/memory/test_sdram_model.py
"""

from amaranth.hdl import Module, Signal, Value

# pyright: reportGeneralTypeIssues=false
# (amaranth's types are loose)

__all__ = ["elapsed"]


def elapsed(m: Module, event: Value, cycles: int, *, name: str) -> Value:
    """Whether the last `event`, if there was one, is at least so many cycles ago."""
    left = Signal(range(max(cycles, 2)), name=name)
    with m.If(event):
        m.d.sync += left.eq(cycles - 1)
    with m.Elif(left != 0):
        m.d.sync += left.eq(left - 1)
    return left == 0

"""Chains of registers."""

# pyright: reportArgumentType=false
# (as amaranth's types say it: slices may be IO values)

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Module, Signal, Value

__all__ = ["delay", "delay_taps"]


def delay(m: Module, value: Value, cycles: int, *, name: str, reset_less: bool = True) -> Value:
    """`value` as it was `cycles` cycles ago."""
    for cycle in range(cycles):
        late = Signal(len(value), name=f"{name}{cycle}", reset_less=reset_less)
        m.d.sync += late.eq(value)
        value = late
    return value


def delay_taps(m: Module, value: Value, starts: Sequence[int], *, name: str) -> list[Value]:
    """`value` as it was d cycles ago, for each d: taps[d] holds bits starts[d].., starts[0] = 0."""
    taps: list[Value] = [value]
    for before, start in pairwise(starts):
        tap = Signal(len(value) - start, name=f"{name}{len(taps)}", reset_less=True)
        m.d.sync += tap.eq(taps[-1][start - before :])
        taps.append(tap)
    return taps

"""The portable target: plain Amaranth, with the same cycles and the same bits as the family whose sizes it has.

Tests: tests/hw/storage/test_line_memory.py
"""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Elaboratable, Module, Shape, Value

from .ecp5 import ECP5
from .plain import PlainAdders, PlainBlockRam, PlainMultiplier
from .target import Clock, ClockSettings, Target

__all__ = ["PORTABLE"]


class Portable(Target):
    """The adders, block RAMs and multipliers of another target in plain Amaranth; all else is that target's."""

    name = "portable"

    def __init__(self, like: Target):
        self._like = like
        self.fabric, self.tools, self.models, self.cell_names = like.fabric, like.tools, like.models, like.cell_names

    def adders(self, m: Module) -> PlainAdders:
        return PlainAdders(m)

    def block_ram(self, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False) -> PlainBlockRam:
        return PlainBlockRam(self.fabric, depth=depth, width=width, init=init, writable=writable)

    def multiplier(self, *, a: Shape, b: Shape, registers: int = 0) -> PlainMultiplier:
        return PlainMultiplier(a=a, b=b, registers=registers)

    def clock_settings(self, *, input_hz: int, output_hz: int, late_ns: float | None = None) -> ClockSettings:
        return self._like.clock_settings(input_hz=input_hz, output_hz=output_hz, late_ns=late_ns)

    def exact_clock(self, *, input_hz: int, output_hz: int, domain: str) -> Clock:
        return self._like.exact_clock(input_hz=input_hz, output_hz=output_hz, domain=domain)

    def flash_clock(self, clock: Value) -> Elaboratable:
        return self._like.flash_clock(clock)

    def late_clock(self, port: Any, *, domain: str, late_ns: float) -> Elaboratable:
        return self._like.late_clock(port, domain=domain, late_ns=late_ns)


PORTABLE: Target = Portable(like=ECP5)

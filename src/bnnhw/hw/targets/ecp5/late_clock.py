"""LateClock: a clock that leaves the chip some taps of a pad's delay late.

Tests: tests/boards/test_rgmii_pads.py
"""

from typing import Any

from amaranth.hdl import ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io

__all__ = ["LateClock"]

TAP_NS = 0.025
TAPS = 128


class LateClock(Elaboratable):
    """A domain's clock at an output's pad, later than what registers at pads send by `late_ns`, up to 3.175."""

    def __init__(self, port: Any, *, domain: str, late_ns: float):
        self.port = port
        self.domain = domain
        self.taps = round(late_ns / TAP_NS)
        if not 0 <= self.taps < TAPS:
            raise ValueError(f"late_ns={late_ns} must be from 0 to {(TAPS - 1) * TAP_NS}")

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        clock, late = Signal(), Signal()
        m.submodules.ddr = Instance(
            "ODDRX1F", i_SCLK=ClockSignal(self.domain), i_RST=Const(0), i_D0=Const(1), i_D1=Const(0), o_Q=clock
        )
        m.submodules.delay = Instance("DELAYG", p_DEL_MODE="SCLK_ALIGNED", p_DEL_VALUE=self.taps, i_A=clock, o_Z=late)
        m.submodules.pad = pad = io.Buffer("o", self.port)
        m.d.comb += pad.o.eq(late)  # pyright: ignore[reportAttributeAccessIssue]
        return m

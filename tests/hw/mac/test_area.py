"""The counted cells of a MAC unit against yosys' netlist."""

import numpy as np
import pytest
from amaranth.back import rtlil

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.mac.area import mac_area
from bnnhw.hw.mac.unit import MacUnit
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

CASES = [
    (16, 27, 16, 3, {"store": "lut"}),  # the first layer of ResNet-20
    (16, 27, 4, 9, {"store": "block"}),
    (10, 64, 1, 8, {"store": "block", "planes": 4}),
    (4, 8, 4, 8, {"vectors": 2, "planes": 3}),
]


def mac_unit(rows, cols, pe, simd, options):
    rng = np.random.default_rng(0)
    weights = 2 * rng.integers(-128, 128, (rows, cols)) + 1
    options = {"planes": 8, **options}
    lows = np.minimum(weights, 0).sum(axis=1) * (2 ** options["planes"] - 1)
    bits = int(np.abs(weights).sum(axis=1).max() * (2 ** options["planes"] - 1)).bit_length()
    biases = rng.integers(0, -lows.min(), rows)
    return MacUnit(weights=weights, biases=biases.tolist(), pe=pe, simd=simd, sum_bits=bits, target=ECP5, **options)


@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), CASES)
def test_carry_cells_and_multipliers_are_exact(rows, cols, pe, simd, options):
    unit = mac_unit(rows, cols, pe, simd, options)
    source, area = rtlil.convert(unit), mac_area(unit.shape)
    assert source.count("cell \\CCU2C") == area.carries
    assert source.count("cell \\MULT18X18D") == area.multipliers


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("rows", "cols", "pe", "simd", "options"),
    [pytest.param(*each, marks=[pytest.mark.slow] * (each is CASES[1])) for each in CASES],  # another one has block RAM
)
def test_area(rows, cols, pe, simd, options):
    unit = mac_unit(rows, cols, pe, simd, options)
    report, area = synthesise_alone(unit, ECP5), mac_area(unit.shape)
    assert (report.ebr, report.multipliers) == (area.ebr, area.multipliers)
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.08)
    # Columns of a short ROM that happen to be equal share their registers.
    assert area.ffs == pytest.approx(report.ffs, rel=0.12)

"""The counted cells of a matrix unit against yosys' netlist."""

import numpy as np
import pytest
from amaranth.back import rtlil

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.product.matrix_area import matrix_area
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

CASES = [
    (128, 448, 4, 28, {}),
    (64, 112, 4, 14, {"planes": 8}),
    (64, 128, 8, 16, {"vectors": 2}),
    (10, 128, 10, 16, {"store": "lut", "thresholds": None}),
    (16, 72, 8, 18, {"vectors": 4}),
    (128, 9, 1, 9, {"row_groups": 128, "vectors": 8}),
    (32, 288, 4, 96, {"store": "lut", "thresholds": None}),
    (96, 288, 8, 24, {"levels": 3, "planes": 2, "thresholds": None}),
    (60, 100, 4, 10, {"levels": 5, "planes": 3, "thresholds": None, "vectors": 2}),
]
SYNTHESISED_SLOWLY = CASES[6:8]
"""Larger ones of kinds that others are of, too."""


def matrix_unit(rows, cols, pe, simd, options):
    rng = np.random.default_rng(0)
    most = cols * (2 ** options.get("planes", 1) - 1)
    options = {"thresholds": rng.integers(most // 4, 3 * most // 4, rows), "store": "block", **options}
    weights = rng.choice([-1, 1], (rows, cols))
    return MatrixUnit(weights=weights, pe=pe, simd=simd, target=ECP5, **options)


@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), CASES)
def test_carry_cells_are_exact(rows, cols, pe, simd, options):
    unit = matrix_unit(rows, cols, pe, simd, options)
    assert rtlil.convert(unit).count("cell \\CCU2C") == matrix_area(unit.shape).carries


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("rows", "cols", "pe", "simd", "options"),
    [pytest.param(*each, marks=[pytest.mark.slow] * (each in SYNTHESISED_SLOWLY)) for each in CASES],
)
def test_area(rows, cols, pe, simd, options):
    unit = matrix_unit(rows, cols, pe, simd, options)
    report, area = synthesise_alone(unit, ECP5), matrix_area(unit.shape)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.08)
    # Columns of a short ROM that happen to be equal share their registers.
    assert area.ffs == pytest.approx(report.ffs, rel=0.12)

"""The counted cells of hardwired units against yosys' netlist."""

import numpy as np
import pytest

from bnnhw.boards.alone import synthesise_alone
from bnnhw.hw.hardwired_area import hardwired_area
from bnnhw.hw.hardwired_plan import plan_hardwired
from bnnhw.hw.hardwired_unit import HardwiredUnit
from bnnhw.hw.targets.ecp5 import ECP5

from .test_row_sums import random_weights


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("rows", "cols", "options"),
    [
        (24, 64, {}),
        (10, 64, {"thresholded": False}),
        (32, 27, {"planes": 8}),
        (16, 100, {"vectors": 2}),
        (12, 150, {}),
    ],
)
def test_area(rows, cols, options):
    plan = plan_hardwired(random_weights(rows, cols), **options)
    middle = plan.greatest_sum / 2
    thresholds = np.random.default_rng(1).normal(middle, middle / 8, rows).astype(int).tolist()
    unit = HardwiredUnit(plan=plan, thresholds=thresholds if plan.thresholded else None, target=ECP5)
    report, area = synthesise_alone(unit), hardwired_area(plan)
    assert report.ccu2c == area.ccu2c
    assert report.ebr == area.ebr == 0
    assert area.lut4 + 2 * area.ccu2c == pytest.approx(report.lut4, rel=0.05)
    assert area.ff == pytest.approx(report.ff, rel=0.05)

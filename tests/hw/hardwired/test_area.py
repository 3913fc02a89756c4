"""The counted cells of hardwired units against yosys' netlist."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.hardwired.plan import plan_hardwired
from bnnhw.hw.hardwired.unit import HardwiredUnit
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

from .test_row_sums import random_weights


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("rows", "cols", "options"),
    [
        (12, 64, {}),
        (10, 64, {"thresholded": False}),
        (32, 27, {"planes": 8}),
        (8, 50, {"vectors": 2}),
        (6, 150, {}),
    ],
)
def test_area(rows, cols, options):
    plan = plan_hardwired(random_weights(rows, cols), ECP5.fabric, **options)
    middle = plan.greatest_sum / 2
    thresholds = np.random.default_rng(1).normal(middle, middle / 8, rows).astype(int).tolist()
    unit = HardwiredUnit(plan=plan, thresholds=thresholds if plan.thresholded else None, target=ECP5)
    report, area = synthesise_alone(unit, ECP5), hardwired_area(plan)
    assert report.carries == area.carries
    assert report.ebr == area.ebr == 0
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.05)
    assert area.ffs == pytest.approx(report.ffs, rel=0.05)

"""The counted cells of a MultiThreshold against yosys' netlist: random thresholds, and such as fold away."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.threshold.area import threshold_area
from bnnhw.hw.threshold.multi_threshold import MultiThreshold
from bnnhw.hw.threshold.places import Places
from tests.hw.netlist_cells import netlist_logic

from .test_multi_threshold import random_unit

EDGES = (0, *[1] * 14, 2)


def check(unit: MultiThreshold, thresholds: np.ndarray, *, within: int = 0) -> None:
    """Within a tenth, or so many cells."""
    report, area = synthesise_alone(unit, ECP5), threshold_area(unit.shape, thresholds)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1, abs=within)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1, abs=within)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    "case",
    [
        (1, 1, 64, 2, 576, 8, 1, (), ()),
        (1, 1, 64, 4, 576, 4, 2, (), ()),
        (1, 1, 256, 4, 1000, 2, 1, (), ()),
        (16, 16, 64, 1, 576, 8, 1, EDGES, EDGES),
        (16, 16, 32, 1, 288, 4, 8, EDGES, EDGES),
    ],
)
def test_random_thresholds(case: tuple):
    check(*random_unit(*case, target=ECP5))


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("levels", "greatest", "lanes"),
    [
        ([2048], 4095, 2),  # one bit of the sum
        ([96], 4095, 4),
        ([1365], 4095, 4),
        ([100, 200, 300], 400, 8),
        ([37, 91, 201, 222, 333, 345, 401], 511, 8),
    ],
)
def test_thresholds_of_all_channels(levels: list[int], greatest: int, lanes: int):
    """They are constants, and read no ROM of places; of a sum only the bits from the lowest one of theirs on stay."""
    thresholds = np.broadcast_to(np.array(levels)[:, None], (1, 1, len(levels), 64))
    places = Places(channels=64, lanes=lanes)
    check(MultiThreshold(thresholds=thresholds, greatest=greatest, places=places, target=ECP5), thresholds, within=3)

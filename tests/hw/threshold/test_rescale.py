"""Rescale against numpy: factors, lanes, pixels, classes of border pixels, stalls, exact timing."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.threshold.places import Places
from bnnhw.hw.threshold.rescale import Rescale
from tests.hw.netlist_cells import netlist_logic
from tests.hw.pool.test_pool import to_beats
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

IMAGES = 2
BORDER = (0, 1, 1, 1, 1, 2)

# height, width, channels, greatest sum, factor, greatest offset, lanes, pixels, row classes, column classes
CASES = [
    (1, 1, 10, 30, 1, 90, 5, 1, (), ()),
    (1, 1, 6, 31, 2, 7, 3, 2, (), ()),
    (1, 1, 4, 5, 3, 0, 4, 1, (), ()),
    (6, 6, 4, 60, 2, 9, 2, 1, BORDER, BORDER),
    (6, 6, 4, 60, 2, 9, 2, 3, BORDER, BORDER),
    (6, 4, 2, 63, 1, 8, 2, 2, BORDER, (0,) * 4),
]


def verify_against_reference(
    height, width, channels, greatest, factor, greatest_offset, lanes, pixels, rows, columns, *, seed=0,
    stalls=(0.3, 0.3), target=PORTABLE, run=run_scenario,
):  # fmt: skip
    """Runs random images (of one row of `pixels` where there is but a pixel) and compares every beat."""
    rng = np.random.default_rng(seed)
    classes = max(rows, default=0) + 1, max(columns, default=0) + 1
    offsets = rng.integers(0, greatest_offset + 1, (*classes, 1, channels))
    offsets.flat[0] = greatest_offset
    places = Places(channels=channels, lanes=lanes, pixels=pixels, row_classes=rows, column_classes=columns)
    unit = Rescale(
        offsets=offsets, factor=factor, greatest=greatest, greatest_result=factor * greatest + greatest_offset,
        places=places, target=target,
    )  # fmt: skip
    width = max(width, pixels)
    x = rng.integers(0, greatest + 1, (IMAGES, height, width, channels))
    x[0] = greatest
    results = factor * x + offsets[np.ix_(rows or (0,) * height, columns or (0,) * width)][:, :, 0]
    expected = to_beats(results, pixels, lanes, unit.shape.result_width)
    beats = to_beats(x, pixels, lanes, unit.shape.width)
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.7))])
def test_equals_numpy(case, seed, stalls):
    verify_against_reference(*case, seed=seed, stalls=stalls)


def test_offsets_may_be_negative_where_no_result_is():
    offsets = np.array([-4, 3]).reshape(1, 1, 1, 2)
    unit = Rescale(offsets=offsets, greatest=9, greatest_result=12, places=Places(channels=2, lanes=2), target=PORTABLE)
    beats = [pack((x, 9 - x), 4) for x in range(4, 10)]
    expected = [pack((x - 4, 12 - x), 4) for x in range(4, 10)]
    assert run_scenario(unit, beats, outputs=6).outputs == expected


def test_greater_results_may_be_promised_than_come():
    offsets = np.full((1, 1, 1, 2), 124)
    places = Places(channels=2, lanes=2)
    unit = Rescale(offsets=offsets, factor=2, greatest=6, greatest_result=260, places=places, target=PORTABLE)
    beats = [pack((x, 6 - x), 3) for x in range(7)]
    expected = [pack((124 + 2 * x, 136 - 2 * x), 9) for x in range(7)]
    assert run_scenario(unit, beats, outputs=7).outputs == expected


@pytest.mark.parametrize("case", CASES)
def test_no_cycle_is_lost(case):
    unit, trace = verify_against_reference(*case, stalls=(0, 0))
    assert trace.input_cycles == list(range(len(trace.input_cycles)))
    assert trace.output_cycles == [cycle + unit.shape.latency for cycle in trace.input_cycles]


@pytest.mark.toolchain
@pytest.mark.parametrize("case", [CASES[0], CASES[4]])
def test_equals_numpy_on_ecp5_cells(case, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    verify_against_reference(*case, target=ECP5, run=run)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("channels", "greatest", "factor", "greatest_offset", "lanes", "pixels", "classes"),
    [
        (10, 16256, 1, 8000, 2, 1, ()),
        (64, 576, 2, 300, 8, 1, (0, *[1] * 14, 2)),
        (32, 288, 2, 150, 8, 4, (0, *[1] * 14, 2)),
    ],
)
def test_area(channels, greatest, factor, greatest_offset, lanes, pixels, classes):
    count = max(classes, default=0) + 1
    offsets = np.random.default_rng(0).integers(0, greatest_offset + 1, (count, count, 1, channels))
    places = Places(channels=channels, lanes=lanes, pixels=pixels, row_classes=classes, column_classes=classes)
    unit = Rescale(
        offsets=offsets, factor=factor, greatest=greatest, greatest_result=factor * greatest + greatest_offset,
        places=places, target=ECP5,
    )  # fmt: skip
    report, area = synthesise_alone(unit, ECP5), unit.shape.area
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)


def test_options_are_checked():
    sizes = {"greatest": 9, "greatest_result": 9, "places": Places(channels=4, lanes=2)}
    legal = {"offsets": np.zeros((1, 1, 1, 4), int), **sizes, "target": PORTABLE}
    with pytest.raises(ValueError, match=r"^factor=0 must be at least 1$"):
        Rescale(**{**legal, "factor": 0})
    with pytest.raises(ValueError, match=r"^offsets of shape \(2, 1, 1, 4\) must be \(row classes, .* with 1 row"):
        Rescale(**{**legal, "offsets": np.zeros((2, 1, 1, 4), int)})

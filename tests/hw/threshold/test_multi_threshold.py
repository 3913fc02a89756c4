"""MultiThreshold against numpy: bits, lanes, pixels, classes of border pixels, every store, stalls, exact timing."""

import numpy as np
import pytest

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.threshold.multi_threshold import MultiThreshold
from bnnhw.hw.threshold.place_rom import place_rom_store
from bnnhw.hw.threshold.places import Places
from tests.hw.pool.test_pool import to_beats
from tests.hw.scenario import run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

IMAGES = 2
BORDER = (0, 1, 1, 1, 1, 2)

# height, width, channels, bits, greatest sum, lanes, pixels, row classes, column classes
CASES = [
    (1, 1, 12, 2, 30, 4, 1, (), ()),
    (1, 1, 12, 1, 31, 3, 2, (), ()),
    (1, 1, 6, 3, 15, 6, 3, (), ()),  # the first threshold is a constant
    (1, 1, 1, 4, 100, 1, 1, (), ()),
    (1, 1, 8, 8, 1000, 2, 1, (), ()),
    (1, 1, 256, 4, 1000, 1, 1, (), ()),  # thresholds in block RAM
    (6, 6, 4, 2, 60, 2, 3, (), ()),
    (6, 6, 4, 1, 60, 2, 1, BORDER, BORDER),
    (6, 6, 4, 1, 60, 2, 3, BORDER, BORDER),
    (6, 6, 6, 2, 60, 6, 6, BORDER, BORDER),
    (6, 6, 2, 3, 63, 1, 2, (), BORDER),
    (6, 4, 2, 1, 63, 2, 2, BORDER, (0,) * 4),
]


def random_unit(height, width, channels, bits, greatest, lanes, pixels, rows, columns, *, seed=0, target):
    """A unit with random thresholds, some of them beyond the range of the sums."""
    rng = np.random.default_rng(seed)
    classes = max(rows, default=0) + 1, max(columns, default=0) + 1
    thresholds = np.sort(rng.integers(-3, greatest + 5, (*classes, (1 << bits) - 1, channels)), axis=2)
    places = Places(channels=channels, lanes=lanes, pixels=pixels, row_classes=rows, column_classes=columns)
    return MultiThreshold(thresholds=thresholds, greatest=greatest, places=places, target=target), thresholds


def verify_against_reference(
    height, width, channels, bits, greatest, lanes, pixels, rows, columns, *, seed=0, stalls=(0.3, 0.3),
    target=PORTABLE, run=run_scenario,
):  # fmt: skip
    """Runs random images (of one row of `pixels` where there is but a pixel) and compares every beat."""
    case = (height, max(width, pixels), channels, bits, greatest, lanes, pixels, rows, columns)
    unit, thresholds = random_unit(*case, seed=seed, target=target)
    x = np.random.default_rng(seed).integers(0, greatest + 1, (IMAGES, *case[:3]))
    classes = np.ix_(rows or (0,) * case[0], columns or (0,) * case[1])
    codes = (x[..., None, :] >= thresholds[classes]).sum(axis=-2)
    beats, expected = to_beats(x, pixels, lanes, unit.shape.width), to_beats(codes, pixels, lanes, bits)
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.7)), (2, (0.6, 0))])
def test_equals_numpy(case, seed, stalls):
    verify_against_reference(*case, seed=seed, stalls=stalls)


@pytest.mark.parametrize("case", CASES)
def test_no_cycle_is_lost(case):
    unit, trace = verify_against_reference(*case, stalls=(0, 0))
    assert trace.input_cycles == list(range(len(trace.input_cycles)))
    assert trace.output_cycles == [cycle + unit.shape.latency for cycle in trace.input_cycles]


def test_every_store_is_met():
    shapes = [random_unit(*case, target=PORTABLE)[0].shape for case in CASES]
    stores = {
        place_rom_store(PORTABLE.fabric, s.depth(stage), s.read_width(stage)) for s in shapes for stage in range(s.bits)
    }
    assert stores == {"constant", "lut", "block"}


@pytest.mark.toolchain
@pytest.mark.parametrize("case", [CASES[0], CASES[5], CASES[8]])
def test_equals_numpy_on_ecp5_cells(case, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    verify_against_reference(*case, target=ECP5, run=run)


@pytest.mark.parametrize(
    ("options", "where", "message"),
    [
        ({}, {"lanes": 3}, r"^lanes=3 must divide channels=4; legal values are \[1, 2, 4\]$"),
        ({"greatest": 0}, {}, r"^greatest=0 must be at least 1$"),
        (
            {"thresholds": np.zeros((1, 1, 2, 4), int)},
            {},
            r"^thresholds of shape \(1, 1, 2, 4\) must be .* 2\^bits - 1 lev",
        ),
        ({"thresholds": -np.arange(12).reshape(1, 1, 3, 4)}, {}, r"^thresholds must not fall along the levels$"),
        (
            {},
            {"row_classes": (0, 1), "column_classes": (0,)},
            r"^thresholds of shape \(1, 1, 3, 4\) must be .* with 2 row classes, 1 column",
        ),
        ({}, {"channels": 2}, r"^thresholds of shape \(1, 1, 3, 4\) must be .* 1 column classes and 2 channels$"),
        (
            {},
            {"row_classes": (0,)},
            r"^column_classes must be given beside row_classes: they say how many pixels a row has$",
        ),
        ({}, {"column_classes": (0, 0, 0), "pixels": 2}, r"^pixels=2 must divide the 3 columns$"),
        ({"target": "asic"}, {}, r"^target='asic' must be one of"),
    ],
)
def test_options_are_checked(options, where, message):
    legal = {"thresholds": np.zeros((1, 1, 3, 4), int), "greatest": 9, "target": PORTABLE}
    with pytest.raises(ValueError, match=message):
        MultiThreshold(**{**legal, **options}, places=Places(**{"channels": 4, "lanes": 2, **where}))

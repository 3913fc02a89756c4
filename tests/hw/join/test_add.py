"""Add against numpy: widths of every kind, clipping on either side, stalls, exact timing, cells."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.join.add import Add
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic
from tests.hw.scenario import pack

from .case import verify, with_stalls

# elements, greatest a and b, clip
CASES = [
    (1, (1, 1), None),
    (3, (2, 5), None),
    (2, (200, 3), None),
    (2, (4, 11), None),  # as many bits as the wider of the two
    (2, (3, 3), (1, 4)),
    (2, (7, 100), (0, 63)),
    (3, (31, 31), (20, 62)),
    (1, (255, 255), (100, 355)),
]


def verify_against_reference(elements, greatest, clip, **scenario):
    """Sends random codes, the greatest and the least ones first; the unit and what crossed its ports."""
    rng = np.random.default_rng(scenario.get("seed", 0))
    inputs = [rng.integers(0, most + 1, (60, elements)) for most in greatest]
    for x, most in zip(inputs, greatest, strict=True):
        x[0], x[1] = most, 0
    sums = np.sum(inputs, axis=0)
    if clip is not None:
        sums = np.clip(sums, clip[0], clip[1]) - clip[0]
    dut = Add(elements=elements, greatest=greatest, clip=clip, target=PORTABLE)
    beats = {
        f"i{number}": [pack(beat, width) for beat in x]
        for number, (x, width) in enumerate(zip(inputs, dut.shape.widths, strict=True))
    }
    expected = [pack(beat, dut.shape.result_width) for beat in sums]
    return dut, verify(dut, beats, {"o": expected}, **scenario)


@with_stalls
@pytest.mark.parametrize(("elements", "greatest", "clip"), CASES)
def test_equals_numpy(elements, greatest, clip, seed, stalls):
    verify_against_reference(elements, greatest, clip, seed=seed, stalls=stalls)


@pytest.mark.parametrize(("elements", "greatest", "clip"), CASES)
def test_no_cycle_is_lost(elements, greatest, clip):
    dut, traces = verify_against_reference(elements, greatest, clip, stalls=(0, 0))
    assert traces["i0"].cycles == traces["i1"].cycles == list(range(60))
    assert traces["o"].cycles == [cycle + dut.shape.latency for cycle in traces["i0"].cycles]


@pytest.mark.parametrize(
    ("greatest", "clip", "width"),
    [((1, 1), None, 2), ((4, 11), None, 4), ((4, 12), None, 5), ((7, 7), (0, 7), 3), ((7, 7), (3, 6), 2)],
)
def test_results_have_no_bit_too_many(greatest, clip, width):
    assert Add(elements=1, greatest=greatest, clip=clip, target=PORTABLE).shape.result_width == width


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("elements", "greatest", "clip"),
    [
        (16, (1, 1), None),
        (16, (3, 3), None),
        (8, (7, 15), None),
        (8, (255, 3), None),
        (8, (255, 255), (100, 355)),
        (8, (255, 255), (0, 255)),
        (16, (3, 3), (1, 4)),
        (4, (1000, 1000), (0, 1000)),
    ],
)
def test_area(elements, greatest, clip):
    unit = Add(elements=elements, greatest=greatest, clip=clip, target=ECP5)
    report, area = synthesise_alone(unit, ECP5), unit.shape.area
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == report.ffs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"elements": 0}, r"^elements=0 must be at least 1$"),
        ({"greatest": (0, 4)}, r"^greatest=\(0, 4\) must be at least 1 each$"),
        ({"clip": (3, 3)}, r"^clip=\(3, 3\) must be \(least, greatest\), within 0 and 7$"),
        ({"clip": (-1, 3)}, r"^clip=\(-1, 3\) must be"),
        ({"clip": (1, 8)}, r"^clip=\(1, 8\) must be"),
        ({"target": "asic"}, r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Add(**({"elements": 2, "greatest": (3, 4), "target": PORTABLE} | options))

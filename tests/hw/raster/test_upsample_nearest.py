"""UpsampleNearest against numpy: blocks, pixels, lanes, stores; stalls; exact timing; cells."""

from typing import Any

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.compiler.ir import ops
from bnnhw.hw.raster.blocks import blocks_area
from bnnhw.hw.raster.upsample_nearest import UpsampleNearest, UpsampleNearestShape
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

from .images import verify_images

# height, width, channels, block, and what differs from all lanes of one pixel of 2 bits
CASES: list[tuple[int, int, int, int, dict[str, Any]]] = [
    (2, 3, 1, 2, {}),
    (3, 1, 4, 2, {"lanes": 2}),
    (2, 4, 6, 2, {"lanes": 2, "pixels": 2}),
    (2, 4, 3, 3, {"pixels": 4}),
    (2, 5, 4, 3, {"lanes": 1, "element_bits": 3}),
    (2, 10, 5, 4, {}),
    (2, 120, 9, 2, {"element_bits": 8}),
]


def upsample(height: int, width: int, channels: int, block: int, *, target: Target = PORTABLE, **options: Any):
    sizes = {"lanes": channels, "element_bits": 2, **options}
    shape = UpsampleNearestShape(height=height, width=width, channels=channels, block=block, target=target, **sizes)
    return UpsampleNearest(shape=shape)


def verify(case: tuple[int, int, int, int, dict[str, Any]], **scenario: Any):
    unit = upsample(*case[:4], **case[4])
    shape = unit.shape
    op = ops.UpsampleNearest(shape.block)
    return unit, verify_images(unit, op, pixels=shape.out_pixels, lanes=shape.out_lanes, **scenario)


@pytest.mark.parametrize("case", CASES)
def test_equals_numpy(case):
    for seed, stalls in enumerate([(0.3, 0.3), (0, 0.6)]):
        verify(case, seed=seed, stalls=stalls)


@pytest.mark.parametrize("case", CASES)
def test_an_output_beat_a_cycle(case):
    unit, trace = verify(case, stalls=(0, 0))
    start = unit.shape.latency + trace.input_cycles[0]
    assert trace.output_cycles == list(range(start, start + 2 * unit.initiation_interval))


def test_stores():
    assert {upsample(*case[:4], **case[4]).shape.store for case in CASES} == {"registers", "lut", "block"}


def test_the_memory_has_a_row_once():
    """A row of 120 pixels of 72 bits."""
    shape = upsample(*CASES[-1][:4], **CASES[-1][4]).shape
    assert (shape.depth, shape.word_bits, shape.output_width) == (120, 72, 144)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("case", "options"),
    [((32, 32, 16, 2), {"element_bits": 4}), ((8, 320, 12, 2), {"element_bits": 8}), ((16, 4, 18, 3), {"lanes": 9})],
)
def test_area(case, options):
    unit = upsample(*case, target=ECP5, **options)
    report, area = synthesise_alone(unit, ECP5), blocks_area(unit.shape)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, r"^width=0 must be at least 1$"),
        ({"block": 1}, r"^block=1 must be at least 2: blocks of one pixel are the image$"),
        ({"lanes": 4}, r"^lanes=4 must divide channels=6; legal values are \[1, 2, 3, 6\]$"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        upsample(**({"height": 2, "width": 6, "channels": 6, "block": 2} | options))

"""Crop against numpy: borders, pixels, lanes; stalls; exact timing; cells."""

from typing import Any

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.compiler.ir import ops
from bnnhw.hw.raster.crop import Crop, CropShape, crop_area
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

from .images import verify_images

# height, width, channels, before, after, and what differs from all lanes of one pixel of 2 bits
CASES: list[tuple[int, int, int, tuple[int, int], tuple[int, int], dict[str, Any]]] = [
    (4, 6, 1, (1, 2), (1, 1), {}),
    (4, 6, 2, (0, 0), (2, 0), {"lanes": 1}),
    (5, 4, 1, (2, 0), (0, 0), {"pixels": 2}),
    (3, 8, 3, (0, 2), (0, 4), {"pixels": 2}),
    (3, 5, 1, (0, 0), (0, 2), {}),
    (3, 5, 1, (1, 4), (1, 0), {}),  # one pixel
    (2, 3, 1, (0, 0), (0, 0), {}),  # all
]


def crop(height: int, width: int, channels: int, before: tuple[int, int], after: tuple[int, int], **options: Any):
    sizes = {"lanes": channels, "element_bits": 2, **options}
    return Crop(shape=CropShape(height=height, width=width, channels=channels, before=before, after=after, **sizes))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stalls", [(0.3, 0.3), (0, 0.6), (0, 0)])
def test_equals_numpy(case, stalls):
    *sizes, options = case
    unit = crop(*sizes, **options)
    op = ops.Crop(unit.shape.before, unit.shape.after)
    trace = verify_images(unit, op, pixels=unit.shape.pixels, lanes=unit.shape.lanes, stalls=stalls)
    if stalls == (0, 0):
        start = trace.input_cycles[0]
        assert trace.input_cycles == list(range(start, start + 2 * unit.initiation_interval))


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("case", "options"),
    [
        ((480, 640, 1, (8, 8), (8, 8)), {}),
        ((480, 640, 1, (0, 8), (0, 0)), {"pixels": 4}),
        ((32, 32, 64, (2, 2), (2, 2)), {"lanes": 4}),
    ],
)
def test_area(case, options):
    unit = crop(*case, **options)
    report, area = synthesise_alone(unit, ECP5), crop_area(unit.shape, ECP5.fabric)
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 0}, r"^channels=0 must be at least 1$"),
        ({"before": (2, 0)}, r"^before=\(2, 0\) and after=\(2, 1\) must be at least 0 and leave .* image, \(4, 6\)$"),
        ({"before": (-1, 0)}, r"must be at least 0 and leave something"),
        ({"pixels": 4}, r"^pixels=4 must divide width=6; legal values are \[1, 2, 3, 6\]$"),
        ({"lanes": 3}, r"^lanes=3 must divide channels=2; legal values are \[1, 2\]$"),
        ({"pixels": 2}, r"^pixels=2 must divide the columns that are left out, 0 and 1$"),
    ],
)
def test_options_are_checked(options, message):
    legal = {"height": 4, "width": 6, "channels": 2, "before": (0, 0), "after": (2, 1)}
    with pytest.raises(ValueError, match=message):
        crop(**(legal | options))

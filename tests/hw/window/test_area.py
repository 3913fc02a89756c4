"""The counted cells of a sliding window against yosys' netlist."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.window.area import window_area
from bnnhw.hw.window.sliding_window import SlidingWindow
from tests.hw.netlist_cells import netlist_logic

BORDER = {"padding": (1, 1, 1, 1)}


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("size", "channels", "simd", "options"),
    [
        (30, 64, 64, {"pixels": 7}),
        (30, 64, 16, {"pixels": 4}),
        (12, 128, 32, {"pixels": 2}),
        (32, 3, 9, {"pixels": 6, "in_pixels": 2, "element_bits": 8}),
        (32, 3, 27, {"pixels": 2, "in_pixels": 2, "element_bits": 8}),
        (16, 32, 32, {"pixels": 4, "padding_code": 1, **BORDER}),
        (16, 64, 9, {"pixels": 8, "channel_groups": 64, **BORDER}),
        (32, 16, 16, {"pixels": 4, "element_bits": 4, "stride": (2, 2), **BORDER}),
        (1024, 3, 9, {"pixels": 2, "element_bits": 8, **BORDER}),
    ],
)
def test_area(size, channels, simd, options):
    unit = SlidingWindow(height=size, width=size, channels=channels, kernel=(3, 3), simd=simd, target=ECP5, **options)
    report = synthesise_alone(unit, ECP5)
    area = window_area(unit.shape, padding_code=unit.padding_code)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)

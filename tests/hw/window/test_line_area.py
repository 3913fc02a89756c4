"""The counted cells of a line buffer against yosys' netlist."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.window.line_area import line_buffer_area
from bnnhw.hw.window.line_buffer import LineBuffer
from bnnhw.hw.window.line_shape import LineBufferShape
from tests.hw.netlist_cells import netlist_logic

AROUND = {"padding": (1, 1, 1, 1)}


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("height", "width", "kernel", "options"),
    [
        (480, 640, (3, 3), {**AROUND}),
        (480, 640, (3, 3), {**AROUND, "border": "edge"}),
        (480, 640, (3, 3), {**AROUND, "border": "reflect", "pixels": 4}),
        (480, 640, (5, 5), {"padding": (2, 2, 2, 2), "border": "symmetric"}),
        (480, 640, (5, 5), {"padding": (2, 2, 2, 2), "border_code": 255}),
        (1080, 1920, (3, 3), {**AROUND, "border": "edge", "channels": 3, "lanes": 3}),
        (480, 640, (3, 3), {"padding": (1, 0, 1, 0), "stride": (2, 2), "pixels": 2}),
        (480, 640, (2, 2), {"stride": (2, 2)}),
        (32, 32, (3, 3), {**AROUND, "element_bits": 1, "channels": 8, "lanes": 8}),
        (32, 32, (3, 3), {**AROUND, "border": "edge", "element_bits": 4, "channels": 16, "lanes": 2}),
        (64, 64, (3, 3), {**AROUND, "channels": 32}),
        (16, 12, (3, 3), {**AROUND, "border": "reflect", "pixels": 4, "channels": 4, "lanes": 4}),
        (480, 640, (1, 7), {"padding": (0, 0, 3, 3), "border": "edge"}),
        (480, 640, (7, 1), {"padding": (3, 3, 0, 0), "border": "edge"}),
    ],
)
def test_area(height, width, kernel, options):
    sizes = {"channels": 1, "lanes": 1, "element_bits": 8, **options}
    shape = LineBufferShape(height=height, width=width, kernel=kernel, target=ECP5, **sizes)
    report, area = synthesise_alone(LineBuffer(shape=shape), ECP5), line_buffer_area(shape)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)

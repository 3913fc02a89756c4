"""The counted cells of pooling units against yosys' netlist."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.pool.area import pool_area
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.targets.ecp5 import ECP5


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("unit_class", "size", "channels", "window", "stride", "options"),
    [
        (MaxPool, 28, 64, 2, 2, {"pixels": 7, "lanes": 16}),
        (MaxPool, 28, 64, 2, 2, {"pixels": 4, "lanes": 64}),
        (MaxPool, 10, 128, 2, 2, {"lanes": 32}),
        (MaxPool, 33, 64, 3, 2, {"lanes": 16}),
        (MaxPool, 32, 16, 2, 2, {"pixels": 2, "lanes": 16, "element_bits": 4}),
        (MaxPool, 32, 32, 3, 2, {"lanes": 4, "element_bits": 8}),
        (MaxPool, 1024, 64, 2, 2, {"pixels": 2, "lanes": 16}),
        (SumPool, 32, 16, 2, 2, {"pixels": 2, "lanes": 16, "element_bits": 4}),
        (SumPool, 16, 64, 2, 2, {"pixels": 4, "lanes": 16}),
        (SumPool, 8, 16, 4, 4, {"pixels": 8, "lanes": 16}),
        (SumPool, 8, 64, 8, 8, {"lanes": 16}),  # the whole image
        (SumPool, 8, 64, 8, 8, {"pixels": 8, "lanes": 4, "element_bits": 10, "greatest": 576}),
    ],
)
def test_area(unit_class, size, channels, window, stride, options):
    unit = unit_class(
        height=size,
        width=size,
        channels=channels,
        window=(window, window),
        stride=(stride, stride),
        target=ECP5,
        **options,
    )
    report, area = synthesise_alone(unit, ECP5), pool_area(unit.shape)
    assert report.ebr == area.ebr
    assert area.luts == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)

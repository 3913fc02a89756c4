"""DepthToSpace against numpy: blocks, pixels, lanes, stores; stalls; exact timing; cells."""

from typing import Any

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.compiler.ir import ops
from bnnhw.hw.raster.blocks import blocks_area
from bnnhw.hw.raster.depth_to_space import DepthToSpace, DepthToSpaceShape
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic

from .images import verify_images

# height, width, channels, block, and what differs from all lanes of one pixel of 2 bits
CASES: list[tuple[int, int, int, int, dict[str, Any]]] = [
    (2, 3, 4, 2, {}),
    (3, 1, 8, 2, {"lanes": 4}),
    (2, 4, 12, 2, {"lanes": 4, "pixels": 2}),
    (2, 4, 9, 3, {"pixels": 4}),
    (2, 5, 18, 3, {"lanes": 9, "element_bits": 3}),
    (2, 10, 16, 4, {}),
    (2, 120, 8, 2, {"element_bits": 8}),
]


def depth_to_space(height: int, width: int, channels: int, block: int, *, target: Target = PORTABLE, **options: Any):
    sizes = {"lanes": channels, "element_bits": 2, **options}
    shape = DepthToSpaceShape(height=height, width=width, channels=channels, block=block, target=target, **sizes)
    return DepthToSpace(shape=shape)


def verify(case: tuple[int, int, int, int, dict[str, Any]], **scenario: Any):
    unit = depth_to_space(*case[:4], **case[4])
    trace = verify_images(
        unit, ops.DepthToSpace(unit.shape.block), pixels=unit.shape.out_pixels, lanes=unit.shape.out_lanes, **scenario
    )
    return unit, trace


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
    assert {depth_to_space(*case[:4], **case[4]).shape.store for case in CASES} == {"registers", "lut", "block"}


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("case", "options"),
    [((32, 32, 16, 2), {"element_bits": 4}), ((8, 320, 12, 2), {"element_bits": 8}), ((16, 4, 18, 3), {"lanes": 9})],
)
def test_area(case, options):
    unit = depth_to_space(*case, target=ECP5, **options)
    report, area = synthesise_alone(unit, ECP5), blocks_area(unit.shape)
    assert report.ebr == area.ebr
    assert netlist_logic(area) == pytest.approx(report.logic, rel=0.1)
    assert area.ffs == pytest.approx(report.ffs, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 0}, r"^height=0 must be at least 1$"),
        ({"block": 1}, r"^block=1 must be at least 2: blocks of one pixel are the image$"),
        ({"pixels": 4}, r"^pixels=4 must divide width=6; legal values are \[1, 2, 3, 6\]$"),
        ({"lanes": 6}, r"^lanes=6 must divide channels=24 and be a multiple of block\^2=4; .* \[4, 8, 12, 24\]$"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        depth_to_space(**({"height": 2, "width": 6, "channels": 24, "block": 2} | options))


def test_the_reference_is_the_op():
    x = np.arange(8).reshape(1, 1, 2, 4)
    assert ops.DepthToSpace(2).reference(x)[0, :, :, 0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]

"""SpaceToDepth against numpy: blocks, pixels, lanes; stalls; exact timing."""

from typing import Any

import pytest

from bnnhw.compiler.ir import ops
from bnnhw.hw.raster.space_to_depth import SpaceToDepth
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.window.line_shape import LineBufferShape

from .images import verify_images

# height, width, channels, block, and what differs from all lanes of one pixel of 2 bits
CASES: list[tuple[int, int, int, int, dict[str, Any]]] = [
    (4, 6, 1, 2, {}),
    (4, 4, 3, 2, {"lanes": 1}),
    (4, 8, 2, 2, {"pixels": 4}),
    (6, 6, 2, 3, {"pixels": 3, "element_bits": 3}),
    (4, 16, 4, 4, {"lanes": 2}),
]


def space_to_depth(height: int, width: int, channels: int, block: int, **options: Any):
    sizes = {"lanes": channels, "element_bits": 2, "kernel": (block, block), "stride": (block, block), **options}
    return SpaceToDepth(shape=LineBufferShape(height=height, width=width, channels=channels, target=PORTABLE, **sizes))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stalls", [(0.3, 0.3), (0, 0.6), (0, 0)])
def test_equals_numpy(case, stalls):
    *sizes, options = case
    unit = space_to_depth(*sizes, **options)
    shape, block = unit.shape, sizes[3]
    trace = verify_images(
        unit, ops.SpaceToDepth(block), pixels=shape.out_pixels, lanes=shape.lanes * block**2, stalls=stalls
    )
    if stalls == (0, 0):
        start = trace.input_cycles[0]
        assert trace.input_cycles == list(range(start, start + 2 * unit.initiation_interval))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": (2, 1)}, r"^kernel=\(2, 2\), stride=\(2, 1\) and padding=.* must be those of blocks side by side"),
        ({"padding": (1, 1, 0, 0)}, r"must be those of blocks side by side"),
        ({"width": 7}, r"^blocks of 2 must divide height=4 and width=7$"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        space_to_depth(**({"height": 4, "width": 6, "channels": 1, "block": 2} | options))

"""Binary U-Nets as programs, by RTL: the mosaic's first layer, skips, pixels from channels, values for the host."""

from typing import Any

import pytest

from tests.engine_graphs import unet
from tests.engine_rtl import CHIP, small_shape

from .test_values import SHAPE, SIZES, compare


@pytest.mark.parametrize(
    ("side", "width", "levels"), [(8, 6, 2), pytest.param(16, 4, 3, marks=pytest.mark.slow)], ids=["2 levels", "3"]
)
def test_in_the_engine(side, width, levels):
    compare([unet(side, width=width, levels=levels)], SHAPE)


@pytest.mark.slow
def test_with_external_memory():
    sizes: dict[str, Any] = SIZES | {"weight_words": 256, "parameters": 512, "map_words": 512}
    shape = small_shape(rows=32, group_rows=2, sum_width=18, instructions=1024, external=CHIP.shape, **sizes)
    compare([unet(8, width=4, levels=3)], shape)

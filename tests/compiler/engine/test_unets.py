"""Binary U-Nets as programs, by RTL: the mosaic's first layer, skips, pixels from channels, values for the host."""

import pytest

from tests.engine_graphs import unet

from .test_values import SHAPE, compare


@pytest.mark.parametrize(
    ("side", "width", "levels"), [(8, 6, 2), pytest.param(16, 4, 3, marks=pytest.mark.slow)], ids=["2 levels", "3"]
)
def test_in_the_engine(side, width, levels):
    compare([unet(side, width=width, levels=levels)], SHAPE, names=["U-Net"])

"""Binary U-Nets as programs with external memory, by RTL: windows of 12 bits, parts of columns, values that go out."""

from typing import Any

import pytest

from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from tests.engine_graphs import unet
from tests.engine_rtl import CHIP, small_shape

from .test_values import compare


@pytest.mark.parametrize(
    ("pixels", "side", "width", "levels"),
    [
        (8, 16, 4, 2),
        pytest.param(4, 8, 4, 3, marks=pytest.mark.slow),
        pytest.param(8, 64, 4, 2, marks=pytest.mark.slow),
    ],
    ids=["2 levels", "3 levels", "larger"],
)
def test_with_external_memory(pixels, side, width, levels):
    """Arrays of 8 pixels make windows of 12 bits; parts of the first layer have a part of the columns; all values go
    out."""
    sizes: dict[str, Any] = {"values": 64, "outbox_words": 64, "instructions": 4096, "transfers": 4096, "taps": 1024}
    shape = small_shape(pixels=pixels, group_pixels=pixels // 2, rows=16, sum_width=18, map_words=256,
                        weight_words=256, external=CHIP.shape, **sizes)  # fmt: skip
    graph = unet(side, width=width, levels=levels)
    network = with_windows(engine_network(graph), shape)
    assert network.layers[0].reads_windows == (pixels == 8)
    every = [scheduled_program(network, shape, segments=cut) for cut in segmentations(network, shape)]
    compare([(graph, program) for program in every])

"""Blocks of layers between which values stay in the engine."""

import pytest

from bnnhw.compiler.engine.external.blocks import blocks_of
from bnnhw.compiler.engine.from_graph import engine_network
from tests.engine_graphs import densenet7
from tests.engine_residuals import catalogued


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (catalogued("resnet8"), [(0, 8)]),
        (catalogued("preresnet6"), [(0, 1), (1, 4), (4, 7), (7, 8)]),
        (densenet7(), [(number, number + 1) for number in range(7)]),
    ],
    ids=["resnet8", "preresnet6", "densenet7"],
)
def test_blocks(graph, expected):
    network = engine_network(graph)
    blocks = blocks_of(network)
    assert [(block.start, block.stop) for block in blocks] == expected

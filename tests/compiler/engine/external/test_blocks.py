"""Blocks of layers between which values stay in the engine."""

import pytest

from bnnhw.compiler.engine.external.blocks import blocks_of
from bnnhw.compiler.engine.from_graph import engine_network
from tests.engine_graphs import densenet7
from tests.engine_residuals import catalogued


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (catalogued("resnet8"), [(0, 7)]),
        (catalogued("preresnet6"), [(0, 1), (1, 4), (4, 7), (7, 8)]),
        (densenet7(), [(number, number + 1) for number in range(7)]),
    ],
    ids=["resnet8", "preresnet6", "densenet7"],
)
def test_blocks(graph, expected):
    """A resnet8 is one; a preresnet6 has one for each size of its maps; of bits alone, each layer is one."""
    network = engine_network(graph)
    assert [(block.start, block.stop) for block in blocks_of(network, ())] == expected


def test_values_outside_make_no_blocks():
    network = engine_network(catalogued("preresnet6"))
    made = network.layers[1].values
    assert made is not None
    blocks = blocks_of(network, {made.map.name})
    assert [(block.start, block.stop) for block in blocks] == [(0, 1), (1, 2), (2, 4), (4, 7), (7, 8)]

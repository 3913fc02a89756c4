"""drop_identities: nodes that change nothing go, others stay."""

import pytest

from bnnhw.compiler.ir.ops import HardTanh, Identity, InputThreshold, Relu, Sign
from bnnhw.compiler.passes import drop_identities

from .graphs import chain, linear, ops_of


@pytest.mark.parametrize(
    ("ops", "left"),
    [
        ([Identity(), Identity()], []),
        ([InputThreshold(0.5), Sign(), HardTanh()], ["InputThreshold"]),
        ([InputThreshold(0.5), Relu()], ["InputThreshold", "Relu"]),
        ([linear(3, 4), HardTanh(), Identity(), Sign()], ["BinaryLinear", "HardTanh", "Sign"]),
    ],
)
def test_what_is_left(ops, left):
    graph = drop_identities(chain(*ops))
    assert ops_of(graph) == left
    assert graph.outputs == (graph.nodes[-1].output if left else "x",)

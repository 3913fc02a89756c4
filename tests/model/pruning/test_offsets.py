"""Offsets behind sums, against the same offsets in the layers that make these."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, evaluate, random_feeds, verify
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.layers.joins import Concat
from bnnhw.model.pruning.links import binary_op, node_named, with_op
from bnnhw.model.pruning.offsets import with_offset_behind
from tests.branches import SummedDense
from tests.random_branches import HI, SHAPE, random_network

from .test_links import DIGITS, graph


class Joined(nn.Module):
    """Two layers' sums side by side, pooled, flattened, and only then a batch norm; read once more in between."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.a, self.b = ToChannelsFirst(), BinaryConv2d(1, 2, 3), BinaryConv2d(1, 3, 3)
        self.join, self.pool, self.norms = (
            Concat(),
            nn.MaxPool2d(2),
            nn.ModuleList([nn.BatchNorm2d(5), nn.BatchNorm1d(45)]),
        )
        self.own = nn.Sequential(Sign(), BinaryConv2d(5, 5, 1))
        self.scores = nn.Sequential(Sign(), BinaryLinear(45, 4), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = self.join(self.a(x), self.b(x))
        x = self.pool(x + self.own(self.norms[0](x)))
        return self.scores(self.norms[1](x.flatten(1)))


class SummedScores(nn.Module):
    """The scores are sums of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), BinaryLinear(64, 8), nn.BatchNorm1d(8), Sign())
        self.a, self.b = BinaryLinear(8, 4), BinaryLinear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.a(x) + self.b(x)


GRAPHS = {"summed": SummedDense(), "joined": Joined(), "scores": SummedScores()}


def scores(file: Graph) -> np.ndarray:
    (answers,) = evaluate(file, random_feeds(file, samples=50, seed=1)).values()
    return answers


def check(file: Graph, layer: str) -> Graph:
    """The offsets, behind and in the layer, twice: the second time nothing is inserted. The graph with both."""
    rng, rows = np.random.default_rng(0), binary_op(file, layer).product.rows
    total, shifted = np.zeros(rows, np.float32), file
    lengths = []
    for _ in range(2):
        offset = rng.integers(-9, 10, rows).astype(np.float32)
        total += offset
        shifted = verify(with_offset_behind(shifted, node_named(shifted, layer).output, offset))
        op = binary_op(file, layer)
        assert isinstance(op, ops.BinaryConv2d | ops.BinaryLinear)
        expected = with_op(file, layer, replace(op, bias=total))
        assert np.array_equal(scores(shifted), scores(expected))
        lengths.append(len(shifted.nodes))
    assert lengths[0] == lengths[1] > len(file.nodes)
    return shifted


@pytest.mark.parametrize(("name", "layer"), [("summed", "a"), ("summed", "b"), ("joined", "b"), ("joined", "own.1")])
def test_offsets_of_sums(name: str, layer: str) -> None:
    shifted = check(graph(GRAPHS[name], DIGITS), layer)
    integerize(shifted, check=True)


def test_offsets_of_scores() -> None:
    check(graph(GRAPHS["scores"], DIGITS), "b")


@pytest.mark.parametrize("seed", range(8))
def test_offsets_in_random_networks(seed: int) -> None:
    """Wherever nothing averages or multiplies the sums."""
    file = graph(random_network(seed), SHAPE, HI)
    found = 0
    for node in file.nodes:
        if isinstance(node.op, ops.BinaryLayer) and takes_floats(file, node.output):
            check(file, node.name)
            found += 1
    assert found


def takes_floats(file: Graph, value: str) -> bool:
    """Whether no way from a value leads to an average or a binary layer but through an activation or a norm."""
    for node in file.consumers(value):
        if isinstance(node.op, ops.AveragePool | ops.BinaryLayer):
            return False
        passes = isinstance(node.op, ops.Add | ops.Concat | ops.MaxPool | ops.Flatten)
        if passes and not takes_floats(file, node.output):
            return False
    return True


def test_no_offset_changes_nothing() -> None:
    file = graph(SummedDense(), DIGITS)
    assert with_offset_behind(file, node_named(file, "a").output, np.zeros(24, np.float32)) is file

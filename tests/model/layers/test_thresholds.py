import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import FloatType, TensorType
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryConv2d, BinaryLinear, Thresholds, ToChannelsFirst, ToChannelsLast
from bnnhw.model.export.save_model import graph_of

TABLE = torch.tensor([[-1.0, 0.5, 2.0], [0.0, 0.0, 0.0]])


def test_counts_those_that_are_reached():
    x = torch.tensor([[-1.5, -0.1], [-1.0, 0.0], [1.9, 1.0], [2.0, float("nan")]])
    assert Thresholds(TABLE)(x).tolist() == [[0, 0], [1, 3], [2, 3], [3, 0]]
    assert Thresholds(TABLE, least=-2)(x).tolist() == [[-2, -2], [-1, 1], [0, 1], [1, -2]]


def test_is_integers_behind_sums_and_at_the_input():
    """Popcounts and sums, in images and behind a Flatten, by channel."""
    torch.manual_seed(2)
    norm = nn.BatchNorm1d(20)
    network = nn.Sequential(
        Thresholds(torch.tensor([[3.5, 4.0, 11.0], [1.0, 9.5, 14.0]])), ToChannelsFirst(), BinaryConv2d(2, 6, 3),
        nn.MaxPool2d(2), ToChannelsLast(), Thresholds(torch.randn(6, 5).mul(8).sort(1).values, least=-2), nn.Flatten(),
        BinaryLinear(54, 20), norm, Thresholds(torch.randn(20, 2).sort(1).values, least=-1),
        BinaryLinear(20, 4),
    )  # fmt: skip
    x = torch.randint(0, 16, (300, 8, 8, 2))
    network(x.float())
    nn.init.normal_(norm.weight)  # some channels fall
    graph = graph_of(network.eval(), example_input=x, input_range=(0, 15))
    integers = integerize(graph, check=True)
    assert sum(isinstance(node.op, ops.MultiThreshold) for node in integers.nodes) == 3


class Joined(nn.Module):
    """Two products side by side, thresholds of each of their channels behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.last = BinaryLinear(9, 4), BinaryLinear(9, 7), BinaryLinear(11, 3)
        self.thresholds = Thresholds(torch.randn(11, 3).mul(6).sort(1).values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.thresholds(torch.cat([self.a(x), self.b(x)], dim=1)))


def test_goes_to_its_channels_where_branches_join():
    torch.manual_seed(4)
    x = torch.randint(0, 4, (200, 9))
    integers = integerize(graph_of(Joined().eval(), example_input=x, input_range=(0, 3)), check=True)
    counts = [node.op.thresholds.shape for node in integers.nodes if isinstance(node.op, ops.MultiThreshold)]
    assert counts == [(3, 4), (3, 7)]


@pytest.mark.parametrize(
    ("table", "least", "message"),
    [
        (torch.tensor([[1.0, 0.0]]), 0, "thresholds must not fall from level to level"),
        (torch.tensor([[float("inf")]]), 0, "thresholds must be finite"),
        (torch.zeros(2, 256), 0, "1 to 255 thresholds a channel, not 256"),
        (torch.zeros(2, 0), 0, "1 to 255 thresholds a channel, not 0"),
        (torch.zeros(2, 3), 300, r"least=300 must lie within \+-255"),
    ],
)
def test_refuses(table: torch.Tensor, least: int, message: str):
    with pytest.raises(ValueError, match=message):
        Thresholds(table, least)


def test_an_op_refuses_other_channels():
    op = ops.Thresholds(np.zeros(6, np.float32), 2, 0)
    with pytest.raises(ValueError, match="has thresholds of 2 channels, and reads 5"):
        op.infer(TensorType((5,), FloatType()))

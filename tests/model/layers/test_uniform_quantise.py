import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryLinear, UniformQuantise
from bnnhw.model.export.save_model import graph_of


def test_steps_halves_to_even():
    layer = UniformQuantise(0.5, -2, 1)
    x = torch.tensor([-9, -1.25, -0.75, -0.25, 0.25, 0.75, 9])
    assert layer(x).tolist() == [-2, -2, -2, 0, 0, 1, 1]


def test_the_zero_point_is_the_code_of_zero():
    layer = UniformQuantise(1, 0, 3, zero_point=2)
    assert layer(torch.tensor([-9.0, -1, 0, 1, 9])).tolist() == [-2, -1, 0, 1, 1]


def test_divides_rather_than_multiplies_by_the_inverse():
    x = torch.arange(1, 2000, dtype=torch.float32) * 0.1
    expected = np.rint(x.numpy() / np.float32(0.2)).clip(0, 255)
    np.testing.assert_array_equal(UniformQuantise(0.2, 0, 255)(x).numpy(), expected)


def test_the_gradient_passes_where_nothing_is_clipped():
    x = torch.tensor([-3.0, 0.1, 3.0], requires_grad=True)
    UniformQuantise(0.5, -2, 1)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2, 0]


@pytest.mark.parametrize(("scale", "lo", "hi", "zero_point"), [(0.37, -4, 3, 0), (1.3, 0, 15, 6), (2.5, -1, 1, 0)])
def test_equals_its_integers(scale: float, lo: int, hi: int, zero_point: int):
    torch.manual_seed(5)
    norm = nn.BatchNorm1d(24)
    network = nn.Sequential(
        BinaryLinear(40, 24), norm, UniformQuantise(scale, lo, hi, zero_point=zero_point),
        BinaryLinear(24, 5),
    )  # fmt: skip
    x = torch.randint(0, 16, (400, 40))
    network(x.float())
    nn.init.normal_(norm.weight)  # some channels fall
    graph = graph_of(network.eval(), example_input=x, input_range=(0, 15))
    assert {node.op.__class__.__name__ for node in integerize(graph, check=True).nodes} >= {"MultiThreshold"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, -1, 1), "scale=0 must be a positive number of float32"),
        ((float("nan"), -1, 1), "scale=nan must be a positive"),
        ((1e-60, -1, 1), "scale=1e-60 must be a positive"),
        ((1e60, -1, 1), r"scale=1e\+60 must be a positive"),
        ((1, 2, 2), "lo=2 and hi=2 must rise"),
        ((1, 0, 256), "256 integers at most"),
    ],
)
def test_refuses(arguments: tuple[float, int, int], message: str):
    with pytest.raises(ValueError, match=message):
        UniformQuantise(*arguments)


def test_refuses_a_zero_point_that_is_no_code():
    with pytest.raises(ValueError, match="zero_point=4 must lie between lo=0 and hi=3"):
        UniformQuantise(1, 0, 3, zero_point=4)

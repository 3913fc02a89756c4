"""Operators of several streams: in numpy, in a graph, in a network."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bnnhw
from bnnhw import hls
from bnnhw.compiler import Graph
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.hls.scheduling import schedule
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Sign, ToChannelsFirst
from bnnhw.model.export import save
from tests.branches import shaken
from tests.core_rtl import DEVICE, check_rtl


@hls.pointwise
def residual(x, y):
    return np.clip(x + y, -20, 100)


@hls.pointwise(weight=[3, 5, 7])
def blended(x, y, weight):
    return (weight * x + (8 - weight) * y) >> 3, x > y


@hls.window(3, 3, padding=1)
def blurred(w):
    return w.sum(axis=(0, 1)) - 100


OPERATORS = {"residual": residual, "blended": blended}
ENTRIES = [Entry(1), Entry(3), Entry(3, 2), Entry(3, 4)]


def skipping(operator: hls.Operator) -> Graph:
    """The image, and a blurred one, meet."""
    source = Value("x", TensorType((4, 8, 3), IntType(0, 15)))
    nodes = (
        Node("blurred", ops.Operator(blurred.traced()), ("x",), "b"),
        Node("met", ops.Combine(operator.traced(3)), ("x", "b"), "y"),
    )
    return Graph((source,), nodes, ("y",))


@pytest.mark.parametrize(("name", "entry"), [*product(OPERATORS, ENTRIES)])
def test_streams_meet_in_hardware(name: str, entry: Entry):
    graph = skipping(OPERATORS[name])
    chosen = apply_plan(graph, FoldingPlan((), entry=entry), device=DEVICE, clock_hz=1e8)
    images = np.random.default_rng(0).integers(0, 16, (9, 4, 8, 3))
    check_rtl(chosen, graph, images, stalls=(0.0, 0.0))
    check_rtl(chosen, graph, images, stalls=(0.3, 0.3))


@pytest.mark.parametrize("entry", [Entry(1), Entry(3, 2)])
def test_they_meet_where_no_pipeline_is_held(entry: Entry, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule.Schedule, "is_held", lambda self, *, groups: False)
    test_streams_meet_in_hardware("blended", entry)


@pytest.mark.parametrize("name", OPERATORS)
def test_numpy_and_the_program_agree(name: str):
    operator = OPERATORS[name]
    x, y = np.random.default_rng(0).integers(-50, 100, (2, 4, 5, 6, 3))
    np.testing.assert_array_equal(operator.traced(3).run(np.stack([x, y])), operator(x, y))
    channels_first = [torch.as_tensor(each).movedim(3, 1).float().requires_grad_() for each in (x, y)]
    z = hls.Layer(operator, channels=3)(*channels_first)
    np.testing.assert_array_equal(z.detach().movedim(1, 3).numpy(), operator(x, y))


def test_both_streams_have_gradients():
    x, y = (torch.tensor([[[[value]]]], requires_grad=True) for value in (4.0, 9.0))
    hls.Layer(hls.pointwise(lambda x, y: 3 * x - (y >> 1)))(x, y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.item(), y.grad.item()) == (3.0, -0.5)


class Residual(nn.Module):
    """Sums of two layers, added and clipped."""

    def __init__(self, pad_value: int):
        super().__init__()
        self.first = nn.Sequential(ToChannelsFirst(), InputThreshold(7.5))
        self.one, self.other = (BinaryConv2d(1, 4, 3, padding=1, pad_value=pad_value) for _ in range(2))
        self.met = hls.Layer(residual)
        self.last = nn.Sequential(nn.BatchNorm2d(4), Sign(), nn.Flatten(), BinaryLinear(4 * 64, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(self.met(self.one(x), self.other(x)))


@pytest.mark.parametrize("pad_value", [-1, 0])
def test_a_residual_network_by_way_of_its_file(pad_value: int, tmp_path: Path):
    """Both streams' codes begin elsewhere in each channel, and with 0 beyond the border in each class of pixels."""
    digits = np.random.default_rng(0).integers(0, 17, (20, 8, 8, 1))
    save(shaken(Residual(pad_value)), tmp_path / "model.pt", example_input=digits, input_range=(0, 16))
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20).is_equal
    stages = bnnhw.PlanOptions().schedule(integerize(load(tmp_path / "model.pt"))).stages
    assert not any(stage.name.endswith("offsets") for stage in stages)


def test_streams_are_counted_and_alike():
    with pytest.raises(hls.OperatorError, match=r"^residual must be given \(x, y\), not 1 arrays$"):
        residual([1, 2])
    with pytest.raises(hls.OperatorError, match=r"^residual takes arrays of one shape, not \[\(2,\), \(3,\)\]$"):
        residual([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="an operator of 2 values must read as many of one shape"):
        ops.Combine(residual.traced()).infer(*(TensorType((size,), IntType(0, 1)) for size in (3, 4)))

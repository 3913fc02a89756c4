"""Layers of several binary bases in RTL: factors of weights, levels of inputs, padding and foldings, exact cycles."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bnnhw
from bnnhw.compiler import Graph, Node, TensorType, Value, evaluate, integerize, load, schedule
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import Conv, Flatten, Levels, MatMul, Product
from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.lowering import build_bases
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.export import save
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network

from .core_rtl import DEVICE, check_rtl, inputs_of
from .hw.program.test_fuzz import plant

SHAPE = (4, 6, 3)
ABC = (-60, -8, 14, 60)
"""Levels of three bases, as ABC-Net has them: symmetric bases' sums at unequal distances."""


def bases(*shape: int, factors: tuple[int, ...]) -> np.ndarray:
    """Random sums of the factors, each times +1 or -1."""
    signs = np.random.default_rng(shape).choice([-1, 1], (len(factors), *shape))
    return np.tensordot(np.array(factors), signs, 1).astype(np.int16)


def signs(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).choice([-1, 1], shape).astype(np.int8)


def conv(*factors: int, rows: int = 4, channels: int = 3, **options: Any) -> Conv:
    shape = (rows, 3, 3, channels)
    weights = bases(*shape, factors=factors) if factors else signs(*shape)
    return Conv(weights, factors=factors, **{"padding": (1, 1), **options})


# what the layer reads, levels or an element; the layer; its folding
LAYERS: dict[str, tuple[Levels | BinaryType | IntType, Product, Folding]] = {
    "3 by 3": (Levels(ABC), conv(87, 34, -51), Folding(6, 9)),
    "3 by 3, stored in LUTs": (Levels(ABC), conv(87, 34, -51), Folding(1, 3, "lut")),
    "1 by 3": (Levels(ABC), conv(), Folding(2, 9)),
    "1 by 5, falling": (Levels((9, 7, 7, -1, -3, -30)), conv(), Folding(4, 3)),
    "5 by 2, padded by a level": (Levels((-7, 0, 2)), conv(60, 50, 41, 32, 3), Folding(2, 3)),
    "3 by 1": (BinaryType(), conv(87, 34, -51), Folding(4, 9)),
    "3 by 1 of one level": (Levels((-3, 4)), conv(7, 5, 1), Folding(12, 27)),
    "3 by pixels": (IntType(0, 255), conv(127, 64, 10), Folding(3, 9)),
    "3 by pixels, multiplied": (IntType(0, 255), conv(127, 64, 10), Folding(2, 9, engine="mac")),
    "3 by steps, multiplied": (IntType(-4, 5, 3), conv(6, 4, 2), Folding(1, 27, "lut", pixels=2, engine="mac")),
    "3 by 1, multiplied": (Levels((-3, 4)), conv(7, 5, 1), Folding(4, 3, "block", engine="mac")),
    "groups, multiplied": (
        IntType(0, 15), conv(7, 5, rows=6, channels=1, groups=3), Folding(2, 3, engine="mac")
    ),
    "dense, multiplied": (
        IntType(-3, 12), MatMul(bases(6, 12, factors=(9, 4)), factors=(9, 4)), Folding(3, 4, engine="mac")
    ),
    "3 by steps, padded by no value": (IntType(-4, 5, 3), conv(7, 5, 1), Folding(2, 3)),
    "several pixels": (Levels(ABC), conv(7, 5), Folding(2, 3, pixels=3)),
    "stride": (Levels(ABC), conv(7, 5, stride=(2, 2)), Folding(8, 27, "block")),
    "groups": (Levels(ABC), conv(7, 5, rows=6, channels=1, groups=3), Folding(2, 3)),
    "dense": (Levels(ABC), MatMul(bases(6, 12, factors=(9, 4)), factors=(9, 4)), Folding(3, 4)),
}  # fmt: skip


def network(read: Levels | BinaryType | IntType, layer: Product) -> Graph:
    shape = SHAPE if isinstance(layer, Conv) else (layer.cols,)
    element = IntType(0, len(read.values) - 1) if isinstance(read, Levels) else read
    levels = [Node("levels", read, ("x",), "values")] if isinstance(read, Levels) else []
    nodes = (*levels, Node("layer", layer, ("values" if levels else "x",), "y"))
    return Graph((Value("x", TensorType(shape, element)),), nodes, ("y",))


@pytest.mark.parametrize("name", LAYERS)
def test_sums_and_cycles(name: str) -> None:
    read, layer, folding = LAYERS[name]
    graph = network(read, layer)
    chosen = apply_plan(graph, FoldingPlan((("layer", folding),)), device=DEVICE, clock_hz=1e8)
    images = inputs_of(graph, 4)
    for stalls in ((0.0, 0.0), (0.4, 0.3)):
        check_rtl(chosen, graph, images, stalls=stalls)
    np.testing.assert_array_equal(PackedKernel(graph)(images), evaluate(graph, {"x": images})["y"])


def test_a_plane_for_each_basis() -> None:
    """Three bases by three take nine times the cycles of one, on as many PEs."""
    one, nine = (
        apply_plan(network(read, layer), FoldingPlan((("layer", Folding(1, 3)),)), device=DEVICE, clock_hz=1e8)
        for read, layer in ((BinaryType(), conv()), (Levels(ABC), conv(87, 34, -51)))
    )
    assert nine.timing.initiation_interval == 9 * one.timing.initiation_interval == 9 * 24 * 4 * 9


def test_levels_behind_a_change_of_shape() -> None:
    layer = MatMul(bases(6, 72, factors=(9, 4)), factors=(9, 4))
    flat = (Node("levels", Levels(ABC), ("x",), "values"), Node("flatten", Flatten(), ("values",), "flat"))
    graph = Graph(
        (Value("x", TensorType(SHAPE, IntType(0, 3))),), (*flat, Node("layer", layer, ("flat",), "y")), ("y",)
    )
    chosen = apply_plan(graph, FoldingPlan((("layer", Folding(4, 6)),)), device=DEVICE, clock_hz=1e8)
    check_rtl(chosen, graph, inputs_of(graph, 4), stalls=(0.3, 0.3))


def test_multipliers_are_for_one_level() -> None:
    graph = network(Levels(ABC), conv(87, 34, -51))
    plan = FoldingPlan((("layer", Folding(4, 9, engine="mac")),))
    with pytest.raises(ScheduleError, match="layer 'layer': engine='mac' has one sum a row, not one for each level"):
        apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)


def test_hardwired_adders_have_no_levels() -> None:
    graph = network(Levels(ABC), conv())
    plan = FoldingPlan((("layer", Folding(4, 9, engine="hardwired")),))
    with pytest.raises(ScheduleError, match="layer 'layer': engine='hardwired' has one sum a row, not one for each"):
        apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)


@pytest.mark.parametrize(("weights", "activations"), [(3, 3), (2, 1), (1, 4)])
def test_abc_net(tmp_path: Path, weights: int, activations: int) -> None:
    """Torch, the graphs, the packed kernel and RTL agree on a network with random weights and norms."""
    torch.manual_seed(weights)
    options = (f"weight_bases={weights}", f"activation_bases={activations}")
    small = architecture("lenet", options=("channels=25",))
    made = build_network(small, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named("abc", options))
    data = load_data_set("digits")
    images = data.test_images[:20]
    with torch.no_grad():
        for _ in range(20):
            made(torch.from_numpy(data.train_images[:100]).float())
    save(made.eval(), tmp_path / "model.pt", example_input=images, input_range=(0, 16))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20, plan=bnnhw.PlanOptions(target_fps=20_000))
    assert [step.differences for step in verified.steps] == [0, 0, 0, 0]
    graph = integerize(load(tmp_path / "model.pt"))
    assert any(isinstance(node.op, Levels) for node in graph.nodes) == (activations > 1)
    chosen = schedule(graph, DEVICE, target_fps=20_000)
    assert all(layer.levels == (activations if activations > 1 else 0) for layer in chosen.pipeline.layers[1:])


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("3 by pixels", "negatives = inputs.greatest", "negatives = 1 + inputs.greatest"),
        ("3 by pixels, multiplied", "biases=negatives // unit", "biases=1 + negatives // unit"),
        ("3 by steps, multiplied", "inputs.steps[0] * weights // unit", "weights // unit"),
        ("5 by 2, padded by a level", "self.values.index(op.pad_value) if", "0 if"),
        ("3 by 3", "(op.pad_value - self.values[0])", "op.pad_value"),
        ("3 by 3", "np.multiply.outer(", "np.add.outer("),
    ],
)
def test_faults_are_found(monkeypatch: pytest.MonkeyPatch, name: str, right: str, wrong: str) -> None:
    plant(monkeypatch, build_bases, right, wrong)
    with pytest.raises(AssertionError):
        test_sums_and_cycles(name)


def test_factors_that_do_not_make_the_weights() -> None:
    with pytest.raises(ValueError, match=r"weight 3 must be a sum of the factors \(4, 2\), each times \+1 or -1"):
        MatMul(np.array([[6, 3]], np.int16), factors=(4, 2))
    with pytest.raises(ValueError, match="are for integer weights"):
        replace(MatMul(signs(1, 2)), factors=(4, 2))
    with pytest.raises(ValueError, match="there are 17 factors, and 16 are the most"):
        MatMul(np.ones((1, 1), np.int16), factors=(1,) * 17)

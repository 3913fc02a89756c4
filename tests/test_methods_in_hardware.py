"""Methods of several bits from torch to the RTL: in several foldings, under stalls, cycles as predicted; and what is
wrong there is found."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

import bnnhw
from bnnhw.compiler import Graph, Schedule, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.ops import Conv, MultiThreshold, Op
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.model.data.datasets import DataSet, load_data_set
from bnnhw.model.export import save
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import Architecture, Convolution, build_network
from bnnhw.sim.batch.simulator import BatchSimulator

from .core_rtl import DEVICE, check_core, folded

NETWORK = Architecture(
    widths=(8,),
    input_bits=8,
    convolutions=(Convolution(channels=4, padding=1), Convolution(channels=4, padding=1, pool=True)),
)
METHODS = {"dorefa": ("weight_bits=2",), "ternary": (), "bwn": ("activation_bits=4",)}
PLANES = {"dorefa": 2, "ternary": 2, "bwn": 1}
"""Of each layer's weights."""


@cache
def digits() -> DataSet:
    return load_data_set("digits")


def saved(name: str, folder: Path) -> Path:
    """A network whose batch norms and exponents have seen digits, with random factors."""
    torch.manual_seed(0)
    network = build_network(NETWORK, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(name, METHODS[name]))
    for parameter_name, parameter in network.named_parameters():
        if "norm" in parameter_name:
            torch.nn.init.normal_(parameter)
    for _ in range(3):
        network(torch.from_numpy(digits().train_images[:200]).float())
    meta = {"network": "small", "dataset": "digits", "classes": list(digits().classes)}
    save(network.eval(), folder / "model.pt", example_input=digits().test_images[:9], input_range=(0, 16), meta=meta)
    return folder / "model.pt"


def graph_of(name: str, folder: Path) -> Graph:
    return integerize(load(saved(name, folder)), output="scores")


def by_multipliers(graph: Graph) -> Schedule:
    """Layers of integer weights on multipliers, the others folded as ever."""
    layers = {layer.name: layer for layer in lower_network(graph).pipeline.layers}
    plan = tuple(
        (name, replace(folding, engine="mac") if layers[name].integers else folding)
        for name, folding in folded(graph, most=2, hardwired=False).plan.layers
    )
    return apply_plan(graph, FoldingPlan(plan), device=DEVICE, clock_hz=1e8)


CHOSEN: dict[str, Callable[[Graph], Schedule]] = {
    "folded": lambda graph: folded(graph, most=4, hardwired=False),
    "hardwired": lambda graph: folded(graph, most=8, hardwired=True),
    "multipliers": by_multipliers,
}


@pytest.mark.parametrize("name", METHODS)
def test_every_level_is_the_same(name: str, tmp_path: Path) -> None:
    verified = bnnhw.verify(saved(name, tmp_path), through="rtl", samples=100)
    assert [step.upper for step in verified.steps] == ["trained graph", "integer graph", "packed kernel", "RTL"]
    assert verified.is_equal, verified.steps


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("dorefa", "folded"), ("dorefa", "hardwired"), ("dorefa", "multipliers"),
        ("ternary", "folded"), ("ternary", "multipliers"),
        ("bwn", "folded"), ("bwn", "hardwired"),
    ],
)  # fmt: skip
def test_every_folding_is_the_same(name: str, chosen: str, tmp_path: Path) -> None:
    graph = graph_of(name, tmp_path)
    layers = lower_network(graph).pipeline.layers
    assert [len(layer.weights) for layer in layers] == [rows * PLANES[name] for rows in (4, 4, 8, 10)]
    plan, images = CHOSEN[chosen](graph), digits().test_images[:6]
    simulator = BatchSimulator(plan.core())
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_core(simulator, plan, graph, images, stalls=stalls)


def with_other_weights(op: Op) -> Op | None:
    """One channel of a convolution has the negated weights."""
    return op.inverted(np.arange(op.rows) == 1) if isinstance(op, Conv) else None


def with_other_padding(op: Op) -> Op | None:
    return replace(op, pad_value=1) if isinstance(op, Conv) else None


def with_other_thresholds(op: Op) -> Op | None:
    """Each channel reaches its highest level one sum later."""
    if not isinstance(op, MultiThreshold):
        return None
    return replace(op, thresholds=op.thresholds + (np.arange(op.levels) == op.levels - 1)[:, None])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("dorefa", with_other_thresholds), ("ternary", with_other_padding), ("ternary", with_other_thresholds),
        ("bwn", with_other_weights),
    ],
)  # fmt: skip
def test_a_fault_is_found(name: str, fault: Callable[[Op], Op | None], tmp_path: Path) -> None:
    graph = graph_of(name, tmp_path)
    nodes = tuple(replace(node, op=fault(node.op) or node.op) for node in graph.nodes)
    assert nodes != graph.nodes
    wrong = folded(replace(graph, nodes=nodes), most=4, hardwired=False)
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        check_core(BatchSimulator(wrong.core()), wrong, graph, digits().test_images[:40], stalls=(0.0, 0.0))

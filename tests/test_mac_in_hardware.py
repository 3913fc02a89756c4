"""Layers of integer weights by multipliers, in RTL: every kind of input, padding and folding, cycles as predicted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, Schedule, TensorType, Value, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.ops import Conv, MatMul, Product
from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.sim.batch.simulator import BatchSimulator

from .core_rtl import DEVICE, check_core, check_rtl, folded, inputs_of
from .test_residual_networks import NETWORKS, random_images, saved


def integers(*shape: int, most: int = 255) -> np.ndarray:
    """Random integers, even and odd ones, zeros among them."""
    weights = np.random.default_rng(shape).integers(-most, most + 1, shape)
    weights.flat[0], weights.flat[-1] = most, 0
    return weights.astype(np.int16)


SHAPE = (4, 6, 3)
WEIGHTS = integers(4, 3, 3, 3)


def conv(weights: np.ndarray = WEIGHTS, **options: Any) -> Conv:
    return Conv(weights, padding=(1, 1), **options)


# element of the input, layer, its folding
LAYERS: dict[str, tuple[BinaryType | IntType, Product, Folding]] = {
    "pixels": (IntType(0, 255), Conv(WEIGHTS), Folding(2, 3, "block")),
    "padded by 0": (IntType(0, 15), conv(), Folding(4, 9)),
    "padded by what is in the range": (IntType(-3, 4), conv(), Folding(1, 27, "lut")),
    "padded by what is not": (IntType(3, 10), conv(pad_value=-2), Folding(2, 9)),
    "bits": (BinaryType(), conv(), Folding(2, 3)),
    "steps of 3": (IntType(-4, 5, 3), conv(pad_value=2), Folding(2, 3)),
    "several pixels": (IntType(-3, 4), conv(), Folding(2, 3, pixels=3)),
    "stride": (IntType(0, 255), conv(stride=(2, 2)), Folding(4, 27)),
    "groups": (IntType(-3, 4), conv(integers(6, 3, 3, 1), groups=3), Folding(1, 3)),
    "dense": (IntType(-3, 4), MatMul(integers(6, 12)), Folding(3, 4)),
    "dense, one bit": (BinaryType(), MatMul(integers(4, 6, most=3)), Folding(1, 6, "block")),
}


def network(element: BinaryType | IntType, layer: Product) -> Graph:
    shape = SHAPE if isinstance(layer, Conv) else (layer.cols,)
    return Graph((Value("x", TensorType(shape, element)),), (Node("layer", layer, ("x",), "y"),), ("y",))


def chosen_by(graph: Graph, *foldings: Folding, vectors: int = 1) -> Schedule:
    names = (node.name for node in graph.nodes if isinstance(node.op, Product))
    plan = FoldingPlan(tuple(zip(names, (replace(each, engine="mac") for each in foldings), strict=True)), vectors)
    return apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)


@pytest.mark.parametrize("name", LAYERS)
def test_sums_and_cycles(name: str) -> None:
    element, layer, folding = LAYERS[name]
    graph = network(element, layer)
    check_rtl(chosen_by(graph, folding), graph, inputs_of(graph, 4), stalls=(0.0, 0.0))


def test_vectors_in_lockstep() -> None:
    graph = network(*LAYERS["dense"][:2])
    check_rtl(chosen_by(graph, Folding(2, 6), vectors=2), graph, inputs_of(graph, 8), stalls=(0.3, 0.3))


def test_a_residual_network(tmp_path: Path) -> None:
    """First layer, shortcut and last layer by multipliers, between binary layers."""
    graph = integerize(load(saved(NETWORKS["B"], tmp_path)), output="scores")
    folded_plan = folded(graph, most=4, hardwired=False).plan
    layers = lower_network(graph).pipeline.layers
    with_integers = {layer.name for layer in layers if layer.integers}
    assert len(with_integers) == 3
    assert len(layers) == 7
    foldings = tuple(
        (name, Folding(2, folding.simd, engine="mac") if name in with_integers else folding)
        for name, folding in folded_plan.layers
    )
    chosen, images = apply_plan(graph, FoldingPlan(foldings), device=DEVICE, clock_hz=1e8), random_images(graph, 4)
    simulator = BatchSimulator(chosen.core())
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_core(simulator, chosen, graph, images, stalls=stalls)

"""Convolutional networks from torch to the RTL: equal, layer by layer, in exactly the predicted cycles."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bnnhw.compiler import Schedule, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.graph import evaluate, trace
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.compiler.units.inversion import Inverting
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import get_device
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import Architecture, Convolution, build_network
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.rungs import frames_of, simulate_core, trace_rtl

DEVICE = get_device("LFE5U-85F")
IMAGES = 12
TIMED = 5
"""Of these, one behind the other."""
SHAPE = (12, 12, 3)
DEEP = Architecture(
    widths=(16,),
    convolutions=(
        Convolution(channels=8, padding=1, pool=True),
        Convolution(channels=12, padding=1),
        Convolution(channels=16, padding=0, pool=True),
    ),
)

NARROW = Architecture(
    widths=(16,),
    convolutions=(
        Convolution(channels=4, padding=1, pool=True),
        Convolution(channels=4, padding=1),
        Convolution(channels=6, padding=0, pool=True),
    ),
)


def make_graph(folder: Path, architecture: Architecture, *, input_bits: int, seed: int = 0):
    """The integer graph of a network with random batch norms, some of them falling."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_network(architecture, shape=SHAPE, lo=0, hi=255, classes=10, input_bits=input_bits)
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                assert norm.running_mean is not None
                assert norm.running_var is not None
                norm.running_mean.normal_(0, 8)
                norm.running_var.uniform_(1, 50)
                norm.weight.data.normal_()
                norm.bias.data.normal_()
        example = torch.zeros((1, *SHAPE))
        save(network.eval(), folder / "model.pt", example_input=example, input_range=(0, 255))
    return integerize(load(folder / "model.pt"))


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (IMAGES, *SHAPE))


def check(chosen: Schedule, graph) -> None:
    """The RTL gives the graph's labels, in the predicted cycles."""
    inputs = images(1)
    (labels,) = evaluate(graph, {graph.inputs[0].name: inputs}).values()
    assert len(np.unique(labels)) > 1
    simulator = BatchSimulator(chosen.core())
    assert np.asarray(simulate_core(chosen, simulator, inputs)).tolist() == labels.tolist()
    result = simulator.run(frames_of(chosen, inputs[:TIMED]), output_beats=chosen.output_beats, lanes=1)
    ends = result.output_cycles[:, -1]
    assert ends[0] - result.accepted_cycles[0, 0] == chosen.timing.latency
    assert set(np.diff(ends)[TIMED // 2 :].tolist()) == {chosen.timing.initiation_interval}


FOLDINGS = {
    "one at a time": [(1, 3, 1), (1, 1, 1), (1, 4, 1), (1, 1, 1), (1, 1, 1)],
    "kernel rows": [(4, 9, 4), (6, 24, 3), (8, 36, 2), (4, 8, 1), (2, 8, 1)],
    "pixels that do not fit each other": [(8, 27, 3), (3, 8, 2), (16, 12, 4), (2, 16, 1), (10, 4, 1)],
    "hardwired": [
        (8, 9, 2, "hardwired"),
        (12, 8, 1, "hardwired"),
        (16, 108, 2, "hardwired"),
        (16, 64, 1, "hardwired"),
        (10, 16, 1, "hardwired"),
    ],
    "one engine, then the other": [
        (8, 27, 1, "hardwired"),
        (4, 24, 2),
        (16, 12, 4, "hardwired"),
        (4, 8, 1),
        (10, 16, 1, "hardwired"),
    ],
    "whole kernels, whole rows": [(4, 27, 12), (4, 36, 6), (6, 36, 4), (16, 24, 1), (10, 16, 1)],
}


@pytest.mark.parametrize(("name", "input_bits"), [*((name, 8) for name in FOLDINGS), ("kernel rows", 1)])
def test_foldings(name: str, input_bits: int, tmp_path: Path):
    architecture, seed = (NARROW, 1) if name == "whole kernels, whole rows" else (DEEP, 0)
    graph = make_graph(tmp_path, architecture, input_bits=input_bits, seed=seed)
    layers = build_pipeline(split_host(graph)[1]).layers
    assert any(isinstance(step, Inverting) for layer in layers for step in layer.behind)
    plan = FoldingPlan(
        tuple(
            (layer.name, Folding(pe, simd, "auto", pixels, *engine))
            for layer, (pe, simd, pixels, *engine) in zip(layers, FOLDINGS[name], strict=True)
        )
    )
    check(apply_plan(graph, plan, device=DEVICE, clock_hz=1e8), graph)


def test_searched_foldings(tmp_path: Path):
    graph = make_graph(tmp_path, DEEP, input_bits=8, seed=2)
    chosen = schedule(graph, DEVICE, target_fps=200_000)
    assert chosen.frames_per_second >= 200_000
    check(chosen, graph)


def test_every_layer_is_equal(tmp_path: Path):
    graph = make_graph(tmp_path, DEEP, input_bits=8, seed=3)
    chosen = schedule(graph, DEVICE, target_fps=50_000)
    inputs = images(4)
    expected = trace(graph, {graph.inputs[0].name: inputs})
    found = trace_rtl(chosen, inputs)
    assert len(found) == 4
    for name, bits in found.items():
        np.testing.assert_array_equal(bits, expected[name], err_msg=name)

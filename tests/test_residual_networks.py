"""Residual networks in fixed point, from torch to the RTL: in several foldings, under stalls, cycles as predicted."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bnnhw
from bnnhw.compiler import Graph, integerize, load
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.graph_search import search_of
from bnnhw.compiler.units.operator import computing, stage
from bnnhw.compiler.units.operator.patch import PatchProgram
from bnnhw.hls.ranges import RangedProgram
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import Cells, Fabric
from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.export import save
from bnnhw.model.export.loading import load as load_module
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import build_network
from bnnhw.model.networks.resnet import ResNet, ResNetOptions

from .core_rtl import DEVICE, check_rtl, folded

SHAPE, HI = (8, 8, 1), 16
NETWORKS = {
    "A": ResNetOptions(shortcuts="bireal", downsample="A"),
    "B": ResNetOptions(shortcuts="bireal", downsample="B", bits=8, weight_bits=4),
    "plain": ResNetOptions(shortcuts="plain", downsample="B", squash="hardtanh", weight_bits=1),
}


def saved(options: ResNetOptions, folder: Path, stages: tuple[tuple[int, int], ...] = ((4, 1), (8, 1))) -> Path:
    """A network whose batch norms and exponents have seen images, with random factors."""
    torch.manual_seed(0)
    structure = ResNet(stages=stages, downsample="A", options=options)
    network = build_network(structure, shape=SHAPE, lo=0, hi=HI, classes=10, method=method_named("bnn"))
    for name, parameter in network.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter)
    images = np.random.default_rng(0).integers(0, HI + 1, (100, *SHAPE))
    for _ in range(3):
        network(torch.from_numpy(images).float())
    save(network.eval(), folder / "model.pt", example_input=images, input_range=(0, HI))
    return folder / "model.pt"


def random_images(graph: Graph, count: int) -> np.ndarray:
    images = np.random.default_rng(1).integers(0, HI + 1, (count, *SHAPE))
    images[0], images[1] = 0, HI
    return images


@pytest.mark.parametrize("name", NETWORKS)
def test_every_level_is_the_same(name: str, tmp_path: Path):
    verified = bnnhw.verify(saved(NETWORKS[name], tmp_path), through="rtl", samples=30)
    assert [step.upper for step in verified.steps] == ["trained graph", "integer graph", "packed kernel", "RTL"]
    assert verified.is_equal, verified.steps


QUICK = (("A", 4), ("B", 8), ("plain", 8))


@pytest.mark.parametrize(
    ("name", "most"),
    [pytest.param(*each, marks=[pytest.mark.slow] * (each not in QUICK)) for each in product(NETWORKS, (1, 2, 4, 8))],
)
def test_every_folding_is_the_same(name: str, most: int, tmp_path: Path):
    graph = integerize(load(saved(NETWORKS[name], tmp_path)), output="scores")
    chosen, images = folded(graph, most=most, hardwired=False), random_images(graph, 4)
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check_rtl(chosen, graph, images, stalls=stalls)


def layers_of(graph: Graph) -> Sequence[str]:
    return [type(node.op).__name__ for node in graph.nodes]


def test_shortcuts_are_in_the_graph(tmp_path: Path):
    layers = layers_of(integerize(load(saved(NETWORKS["A"], tmp_path))))
    assert layers.count("Add") == 4
    assert layers.count("PadChannels") == 1


def test_a_search_makes_and_times_each_program_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    graph = integerize(load(saved(NETWORKS["A"], tmp_path, stages=((2, 1),))))
    made: list[PatchProgram] = []
    scheduled: list[RangedProgram] = []
    counted: list[Schedule] = []
    alone: list[Schedule] = []
    ranged, schedule, program_area = PatchProgram.ranged, stage.schedule, stage.program_area
    group_area = computing.group_area

    def making(work: PatchProgram) -> RangedProgram:
        made.append(work)
        return ranged(work)

    def scheduling(program: RangedProgram, **given: Any) -> Schedule:
        scheduled.append(program)
        return schedule(program, **given)

    def counting(found: Schedule, **given: Any) -> Cells:
        counted.append(found)
        return program_area(found, **given)

    def bounding(found: Schedule, fabric: Fabric) -> Cells:
        alone.append(found)
        return group_area(found, fabric)

    monkeypatch.setattr(PatchProgram, "ranged", making)
    monkeypatch.setattr(computing, "group_area", bounding)
    monkeypatch.setattr(stage, "schedule", scheduling)
    monkeypatch.setattr(stage, "program_area", counting)
    for cached in (computing.programmed, computing.least_cells, stage.timed):
        cached.cache_clear()
    search = search_of(lower_network(graph).pipeline, DEVICE.target)
    for limit in (2000, 1000):
        assert search.smallest(DEVICE, vectors=1, limit=limit)
    units = computing.programmed.cache_info().misses
    assert len(scheduled) == len(set(scheduled)) <= len(made) == units + len(alone)
    assert len(counted) == units
    assert len(alone) <= sum(layer.rows for layer in search.pipeline.layers)  # a program of a channel each, at most
    assert units <= 5 * len(search.pipeline.blocks)  # not one for each PE and each number of pixels


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.timeout(1800)
def test_digits_on_a_board(tmp_path: Path):
    """Trained, built, and asked for 100 images: from torch to the placed cells, and through the virtual board."""
    model, folder = tmp_path / "model.pt", tmp_path / "build"
    recipe = replace(bnnhw.default_recipe("resnet8", "digits"), epochs=8)
    trained = bnnhw.train(
        "resnet8", "digits", model, network_options=("channels=25", "bits=8", "weight_bits=4"), recipe=recipe
    )
    assert trained is not None
    assert trained["test_accuracy"] > 0.85
    bnnhw.build(model, folder, plan=bnnhw.PlanOptions(board="ulx3s-12f", target_fps=500, clock_mhz=50))
    verified = bnnhw.verify(model, build=folder, through="placed", samples=100)
    assert [(step.upper, step.samples, step.differences) for step in verified.steps[3:]] == [
        ("RTL", 100, 0), ("netlist", 100, 0), ("placed", 100, 0),
    ]  # fmt: skip
    images = load_data_set("digits").test_images[:100].copy()
    answers = bnnhw.run(folder, images, simulate=True)
    expected = load_module(model)(torch.from_numpy(images).float()).argmax(1)
    assert [answer.label for answer in answers] == [str(label) for label in expected.tolist()]

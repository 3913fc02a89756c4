"""Random residual networks in fixed point: torch, its file, trained graph, integer graph, packed kernel and the RTL in
random foldings, under stalls."""

from pathlib import Path

import numpy as np
import pytest
import torch

import bnnhw.model
from bnnhw.compiler import Graph, Schedule, evaluate, integerize
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.passes.integerize import scores_of_sums
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.model.export import save

from .core_rtl import DEVICE, check_rtl
from .random_residuals import HI, SHAPE, random_residual


def climbed(seed: int, folder: Path) -> tuple[Graph, np.ndarray]:
    """The integer graph of scores, equal to torch on these images."""
    network = random_residual(seed)
    images = np.random.default_rng(seed).integers(0, HI + 1, (20, *SHAPE))
    images[0], images[1] = 0, HI
    path = folder / "model.pt"
    trained = save(network, path, example_input=images, input_range=(0, HI))
    with torch.inference_mode():
        expected = network(torch.from_numpy(images).float())
        torch.testing.assert_close(bnnhw.model.load(path)(torch.from_numpy(images).float()), expected, rtol=0, atol=0)
    feeds = {trained.inputs[0].name: images}
    (scores,) = evaluate(trained, feeds).values()
    np.testing.assert_array_equal(scores, expected.numpy(), "trained graph")
    integers = integerize(trained, output="scores", check=True)
    (sums,) = evaluate(integers, feeds).values()
    np.testing.assert_array_equal(scores_of_sums(trained, output="scores")(sums), scores, "integer graph")
    np.testing.assert_array_equal(PackedKernel(integers)(images), sums, "packed kernel")
    return integers, images


def randomly_folded(graph: Graph, seed: int) -> Schedule:
    rng = np.random.default_rng(seed)
    plan = []
    for layer in lower_network(graph).pipeline.layers:
        pe, simd, pixels = (int(rng.choice(legal)) for legal in (layer.pes, layer.simds, layer.pixel_counts))
        plan.append((layer.name, Folding(pe, simd, pixels=pixels)))
    return apply_plan(graph, FoldingPlan(tuple(plan)), device=DEVICE, clock_hz=1e8)


def climb_to_rtl(seed: int, folder: Path) -> None:
    graph, images = climbed(seed, folder)
    chosen = randomly_folded(graph, seed)
    check_rtl(chosen, graph, images[:4], stalls=(0.0, 0.0))
    check_rtl(chosen, graph, images[:4], stalls=(0.3, 0.3))


@pytest.mark.parametrize("seed", range(6))
def test_they_climb_to_integers(seed: int, tmp_path: Path):
    climbed(seed, tmp_path)


@pytest.mark.parametrize("seed", [0, 1])
def test_they_climb_to_rtl(seed: int, tmp_path: Path):
    climb_to_rtl(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 400))
def test_many_climb_to_integers(seed: int, tmp_path: Path):
    climbed(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 60))
def test_many_climb_to_rtl(seed: int, tmp_path: Path):
    climb_to_rtl(seed, tmp_path)

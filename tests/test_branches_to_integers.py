"""Networks whose branches meet again: torch, trained graph, integer graph and packed kernel, through the file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bnnhw.model
from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.model.export.save_model import save
from tests.branches import DenseDigits, ForkedDense, SummedDense, shaken
from tests.random_branches import HI, SHAPE, random_network

IMAGES = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))


def climb(module: nn.Module, folder: Path, images: np.ndarray = IMAGES, hi: int = 16) -> Graph:
    """Fails where the rungs differ; the integer graph, of labels."""
    path = folder / "model.pt"
    save(module, path, example_input=images, input_range=(0, hi))
    x = torch.from_numpy(images).float()
    with torch.inference_mode():
        expected = module(x)
        torch.testing.assert_close(bnnhw.model.load(path)(x), expected, rtol=0, atol=0)
    trained = load(path)
    feeds = {trained.inputs[0].name: images}
    (scores,) = evaluate(trained, feeds).values()
    np.testing.assert_array_equal(scores, expected.numpy(), "trained graph")
    for output in ("scores", "label"):
        integers = integerize(trained, output=output, check=True)
        (answers,) = evaluate(integers, feeds).values()
        np.testing.assert_array_equal(PackedKernel(integers)(images), answers, "packed kernel")
    np.testing.assert_array_equal(answers, expected.argmax(1).numpy(), "integer graph")
    return integers


@pytest.mark.parametrize("network", [ForkedDense, SummedDense, DenseDigits])
@pytest.mark.parametrize("seed", [0, 1])
def test_branches_climb(tmp_path: Path, network: type[nn.Module], seed: int) -> None:
    torch.manual_seed(seed)
    climb(shaken(network(), seed=seed), tmp_path)


def climb_random(seed: int, folder: Path) -> None:
    images = np.random.default_rng(seed).integers(0, HI + 1, (30, *SHAPE))
    climb(random_network(seed), folder, images, HI)


@pytest.mark.parametrize("seed", range(12))
def test_random_branches_climb(tmp_path: Path, seed: int) -> None:
    climb_random(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 300))
def test_many_random_branches_climb(tmp_path: Path, seed: int) -> None:
    climb_random(seed, tmp_path)

"""Bilinear upsampling from torch to the RTL: behind bits, codes, sums and averages, several foldings, stalls."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler import Graph, evaluate, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.ops import BilinearSums
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.model import BinaryConv2d, Quantise, Sign, ToChannelsFirst
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save

from .core_rtl import DEVICE, check_rtl
from .test_convolutions import check_equal, images_of, network, op_names
from .test_layers_in_hardware import random_schedule
from .test_trained_to_integers import shake

SHAPE = (4, 6, 4)
FRAMES = 6


def conv(inputs: int, outputs: int, **options) -> list[nn.Module]:
    return [BinaryConv2d(inputs, outputs, 3, padding=1, **options), nn.BatchNorm2d(outputs)]


def larger(factor: int = 2) -> nn.Upsample:
    return nn.Upsample(scale_factor=factor, mode="bilinear")


NETWORKS: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "bits": (
        lambda: network(*conv(4, 6, pad_value=-1), Sign(), larger(), *conv(6, 4), Sign(), shape=SHAPE),
        ["Threshold", "Conv", "Threshold", "BilinearSums", "Conv"],
    ),
    "codes": (
        lambda: network(*conv(4, 3), Quantise(2), larger(), BinaryConv2d(3, 4, 3, scale=True), Sign(), shape=SHAPE),
        ["Threshold", "Conv", "MultiThreshold", "BilinearSums", "Conv"],
    ),
    "sums": (  # at whose borders true zeros were added: what a code means depends on its pixel
        lambda: network(
            BinaryConv2d(4, 3, 3, padding=1), larger(), nn.BatchNorm2d(3), Quantise(2), nn.MaxPool2d(2), shape=SHAPE
        ),
        ["Threshold", "Conv", "BilinearSums", "MultiThreshold", "MaxPool"],
    ),
    "averages": (
        lambda: network(
            *(BinaryConv2d(4, 3, 3, padding=1, pad_value=1), nn.AvgPool2d(2), larger(4), nn.BatchNorm2d(3), Sign()),
            shape=SHAPE,
        ),
        ["Threshold", "Conv", "SumPool", "BilinearSums", "Threshold"],
    ),
}
STALLS = [(0.0, 0.0), (0.3, 0.3)]


def integers(name: str, folder: Path) -> Graph:
    """The integer graph, equal to torch."""
    return check_equal(shake(NETWORKS[name][0](), seed=7), images_of(SHAPE), folder)


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        *(("bits", 3), ("codes", 4), ("sums", 11), ("averages", 9)),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in product(NETWORKS, (0, 1, 2, 10, 12))),
    ],
)
def test_foldings(name: str, seed: int, tmp_path: Path):
    """The RTL of random legal foldings gives the graph's answers, and without stalls in the predicted cycles."""
    graph = integers(name, tmp_path)
    assert op_names(graph)[: len(NETWORKS[name][1])] == NETWORKS[name][1]
    chosen = random_schedule(graph, seed=seed)
    for stalls in STALLS:
        check_rtl(chosen, graph, images_of(SHAPE, FRAMES), stalls=stalls)


@pytest.mark.parametrize("entry", [Entry(1), Entry(2), Entry(4, 2), Entry(4, 6)])
@pytest.mark.parametrize("block", [2, 4])
def test_cores_of_one(block: int, entry: Entry):
    """Several lanes and pixels of a stream."""
    graph = Graph(
        (Value("x", TensorType(SHAPE, IntType(-3, 4))),), (Node("larger", BilinearSums(block), ("x",), "y"),), ("y",)
    )
    chosen = apply_plan(graph, FoldingPlan((), entry=entry), device=DEVICE, clock_hz=1e8)
    images = np.random.default_rng(1).integers(-3, 5, (FRAMES, *SHAPE))
    for stalls in STALLS:
        check_rtl(chosen, graph, images, stalls=stalls)


def test_the_search_finds_a_folding(tmp_path: Path):
    graph = integers("bits", tmp_path)
    chosen = schedule(graph, DEVICE, target_fps=500_000)
    assert chosen.frames_per_second >= 500_000
    check_rtl(chosen, graph, images_of(SHAPE, FRAMES), stalls=STALLS[1])


class Function(nn.Module):
    """The function instead of the layer, its sums the output."""

    def __init__(self, **options):
        super().__init__()
        self.first = nn.Sequential(ToChannelsFirst(), BinaryConv2d(4, 3, 3, padding=1))
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(self.first(x), mode="bilinear", **self.options)


def test_sums_as_outputs(tmp_path: Path):
    """Of bytes and padded with true zeros; an output has what the division is of."""
    module, images = shake(Function(scale_factor=2), seed=3), images_of(SHAPE, FRAMES)
    save(module, tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    graph = integerize(load(tmp_path / "model.pt"), check=True)
    with torch.inference_mode():
        expected = module(torch.from_numpy(images).float()).movedim(1, -1).double().numpy()
    (found,) = evaluate(graph, {"input": images}).values()
    np.testing.assert_array_equal(found, expected * 16)
    check_rtl(random_schedule(graph, seed=4), graph, images, stalls=STALLS[0])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            nn.UpsamplingBilinear2d(scale_factor=2),
            r"^layer '\S+' is a UpsamplingBilinear2d, which export does not support; it aligns corners; use "
            r'Upsample\(scale_factor=2, mode="bilinear"\), which does not; supported are ',
        ),
        (
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            r"^layer '\S+' has align_corners=True, .* only align_corners=False is supported$",
        ),
        (larger(3), r"^layer '\S+' has scale_factor=3.0; give it one scale_factor for both axes, 1, 2, 4 or 8$"),
        (
            nn.Upsample(size=(8, 12), mode="bilinear"),
            r"^layer '\S+' has size; give it one scale_factor for both axes, 1, 2, 4 or 8$",
        ),
    ],
    ids=repr,
)
def test_other_upsamplings_are_refused(layer: nn.Module, message: str, tmp_path: Path):
    module = network(*conv(4, 4), Sign(), layer, *conv(4, 4), Sign(), shape=SHAPE)
    with pytest.raises(ExportError, match=message):
        save(module, tmp_path / "model.pt", example_input=images_of(SHAPE))


def test_a_function_that_aligns_corners_is_refused(tmp_path: Path):
    module = Function(scale_factor=2, align_corners=True)
    with pytest.raises(ExportError, match=r"^'interpolate' has align_corners=True"):
        save(module, tmp_path / "model.pt", example_input=images_of(SHAPE))


def test_real_values_are_refused(tmp_path: Path):
    module = network(*conv(4, 4), larger(), Sign(), shape=SHAPE)
    with pytest.raises(ExportError, match=r"^layer '\S+' interpolates values that are no integers; put it"):
        save(module, tmp_path / "model.pt", example_input=images_of(SHAPE))

"""What moves or leaves out pixels, from torch to the RTL: behind sums, bits and codes, several foldings, stalls."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler import Graph, evaluate, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.graph import Node, Value, trace
from bnnhw.compiler.ir.ops import Crop, DepthToSpace, Rearrangement, SpaceToDepth, UpsampleNearest
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, ToChannelsFirst
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.sim.ladder.rungs import trace_rtl

from .core_rtl import DEVICE, check_rtl
from .test_convolutions import check_equal, images_of, network, op_names
from .test_layers_in_hardware import random_schedule
from .test_trained_to_integers import shake

SHAPE = (6, 8, 4)
FRAMES = 6


def conv(inputs: int, outputs: int, **options) -> list[nn.Module]:
    return [BinaryConv2d(inputs, outputs, 3, padding=1, pad_value=-1, **options), nn.BatchNorm2d(outputs)]


def crop(left: int, right: int, top: int, bottom: int) -> nn.ZeroPad2d:
    return nn.ZeroPad2d((-left, -right, -top, -bottom))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "bits unshuffled": lambda: network(
        *conv(4, 6), Sign(), nn.PixelUnshuffle(2), *conv(24, 4), Sign(), shape=SHAPE
    ),
    "sums unshuffled": lambda: network(
        BinaryConv2d(4, 3, 3, padding=1), nn.PixelUnshuffle(2), Quantise(2), *conv(12, 4), Sign(), shape=SHAPE
    ),
    "codes shuffled": lambda: network(
        *conv(4, 8), Quantise(2), nn.PixelShuffle(2), *conv(2, 4), Sign(), shape=SHAPE
    ),
    "there and back": lambda: network(
        *conv(4, 6), Quantise(3), nn.PixelUnshuffle(2), nn.PixelShuffle(2), *conv(6, 4), Sign(), shape=SHAPE
    ),
    "bits upsampled": lambda: network(
        *conv(4, 6), Sign(), nn.Upsample(scale_factor=2), *conv(6, 4), Sign(), shape=SHAPE
    ),
    "sums upsampled": lambda: network(
        *(BinaryConv2d(4, 3, 3, padding=1), nn.Upsample(scale_factor=2), nn.BatchNorm2d(3), Quantise(2)),
        *(nn.MaxPool2d(2), *conv(3, 4), Sign()), shape=SHAPE,
    ),
    "sums shuffled and upsampled": lambda: network(
        *(BinaryConv2d(4, 8, 3, padding=1), nn.PixelShuffle(2), nn.Upsample(scale_factor=2)),
        *(nn.BatchNorm2d(2), Sign(), nn.MaxPool2d(2), *conv(2, 4), Sign()), shape=SHAPE,
    ),
    "bits cropped": lambda: network(*conv(4, 6), Sign(), crop(2, 1, 1, 0), *conv(6, 4), Sign(), shape=SHAPE),
    "sums cropped": lambda: network(
        BinaryConv2d(4, 6, 3, padding=1), crop(0, 4, 0, 3), nn.BatchNorm2d(6), Sign(), shape=SHAPE
    ),
    "the greatest, cropped": lambda: network(*conv(4, 6), nn.MaxPool2d(2), crop(1, 1, 1, 1), Sign(), shape=SHAPE),
}  # fmt: skip


STALLS = [(0.0, 0.0), (0.3, 0.3)]


def integers(name: str, folder: Path) -> Graph:
    """The integer graph, equal to torch."""
    return check_equal(shake(NETWORKS[name](), seed=7), images_of(SHAPE), folder)


def check_foldings(name: str, folder: Path, *, seed: int) -> None:
    """The RTL of random legal foldings gives the graph's answers, and without stalls in the predicted cycles."""
    graph = integers(name, folder)
    check_rtl(random_schedule(graph, seed=seed), graph, images_of(SHAPE, FRAMES), seed=seed, stalls=STALLS[seed % 2])


@pytest.mark.parametrize(("seed", "name"), list(enumerate(NETWORKS)))
def test_foldings(seed: int, name: str, tmp_path: Path):
    check_foldings(name, tmp_path, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", range(20, 30))
def test_many_foldings(seed: int, name: str, tmp_path: Path):
    check_foldings(name, tmp_path, seed=seed)


ENTRIES = [Entry(1), Entry(2), Entry(4), Entry(4, 2), Entry(4, 8)]
"""Lanes and pixels of a stream."""


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "op", [SpaceToDepth(2), DepthToSpace(2), UpsampleNearest(2), Crop((1, 2), (2, 1)), Crop((0, 2), (1, 4))]
)
def test_cores_of_one(op: Rearrangement, entry: Entry):
    graph = Graph((Value("x", TensorType(SHAPE, IntType(-3, 4))),), (Node("move", op, ("x",), "y"),), ("y",))
    chosen = apply_plan(graph, FoldingPlan((), entry=entry), device=DEVICE, clock_hz=1e8)
    images = np.random.default_rng(1).integers(-3, 5, (FRAMES, *SHAPE))
    for stalls in STALLS:
        check_rtl(chosen, graph, images, stalls=stalls)


@pytest.mark.parametrize(
    "move", [nn.PixelUnshuffle(2), nn.PixelShuffle(2), crop(1, 2, 1, 0), nn.Upsample(scale_factor=3)], ids=repr
)
def test_sums_as_outputs(move: nn.Module, tmp_path: Path):
    """Of bytes and padded with true zeros: what a code means depends on its channel and its pixel."""
    module = nn.Sequential(ToChannelsFirst(), BinaryConv2d(4, 8, 3, padding=1), move)
    images = images_of(SHAPE, FRAMES)
    save(shake(module, seed=3), tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    graph = integerize(load(tmp_path / "model.pt"), check=True)
    with torch.inference_mode():
        expected = module(torch.from_numpy(images).float()).movedim(1, -1).numpy()
    (found,) = evaluate(graph, {"input": images}).values()
    np.testing.assert_array_equal(found, expected)
    check_rtl(random_schedule(graph, seed=4), graph, images, stalls=(0.0, 0.0))


def test_the_bits_are_moved_and_not_the_sums(tmp_path: Path):
    """Activations that are alike in all channels, thresholds before a crop, and norms before an upsampling stand
    behind the product."""
    assert op_names(integers("sums upsampled", tmp_path))[1:4] == ["Conv", "MultiThreshold", "UpsampleNearest"]
    assert op_names(integers("sums unshuffled", tmp_path))[1:4] == ["Conv", "MultiThreshold", "SpaceToDepth"]
    assert op_names(integers("sums cropped", tmp_path))[1:4] == ["Conv", "Threshold", "Crop"]


def test_searched_foldings_and_every_layer(tmp_path: Path):
    graph = integers("there and back", tmp_path)
    chosen = schedule(graph, DEVICE, target_fps=100_000)
    assert chosen.frames_per_second >= 100_000
    images = images_of(SHAPE, 4)
    expected = trace(graph, {graph.inputs[0].name: images})
    for value, codes in trace_rtl(chosen, images).items():
        np.testing.assert_array_equal(codes, expected[value], err_msg=value)


class Calls(nn.Module):
    """The functions instead of the layers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(InputThreshold(128), ToChannelsFirst(), *conv(4, 4), Sign())
        self.second = nn.Sequential(*conv(16, 8), Sign())
        self.scores = BinaryLinear(384, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(functional.pixel_unshuffle(self.first(x), 2))
        x = torch.pixel_shuffle(functional.interpolate(x, mode="nearest", scale_factor=2), 2)
        return self.scores(x.flatten(1))


def test_functions(tmp_path: Path):
    names = op_names(check_equal(shake(Calls(), seed=1), images_of(SHAPE), tmp_path))
    assert {"SpaceToDepth", "DepthToSpace", "UpsampleNearest"} <= set(names)


def test_padding_is_refused(tmp_path: Path):
    module = network(nn.ZeroPad2d(1), *conv(4, 4), Sign(), shape=SHAPE)
    with pytest.raises(ExportError, match=r"pads by \(1, 1, 1, 1\); only negative paddings, which crop, .* a padding$"):
        save(module, tmp_path / "model.pt", example_input=images_of(SHAPE))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Upsample(size=(12, 16)), r"^layer '\S+' has size; give it one scale_factor for both axes, .* 1 to 40$"),
        (nn.Upsample(scale_factor=1.5), r"^layer '\S+' has scale_factor=1.5; give it one scale_factor for both axes"),
        (nn.Upsample(scale_factor=(2, 3)), r"has scale_factor=\(2.0, 3.0\); give it one"),
        (nn.Upsample(scale_factor=41), r"has scale_factor=41.0; give it one"),
        (
            nn.Upsample(scale_factor=2, mode="bicubic"),
            r"^layer '\S+' has mode='bicubic'; only 'nearest' and 'bilinear' are supported; a B",
        ),
    ],
    ids=repr,
)
def test_other_upsamplings_are_refused(layer: nn.Module, message: str, tmp_path: Path):
    module = network(*conv(4, 4), Sign(), layer, *conv(4, 4), Sign(), shape=SHAPE)
    with pytest.raises(ExportError, match=message):
        save(module, tmp_path / "model.pt", example_input=images_of(SHAPE))

"""Operators defined outside the package, with units of their own, from trained graphs to the RTL."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bnnhw
from bnnhw.compiler import evaluate, integerize
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops import BatchNorm, Conv, Flatten, Op
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Sign, ToChannelsFirst, ToChannelsLast
from bnnhw.model.export import save

from .compiler.passes.graphs import chain, linear, vector
from .core_rtl import DEVICE, check_rtl, folded
from .own_operators import Abs, ChannelShuffle, known

SHAPE = (4, 6, 4)
FRAMES = 12


def conv(rows: int, channels: int, *, seed: int, **options) -> ops.BinaryConv2d:
    weights = np.random.default_rng(seed).integers(0, 2, (rows, 3, 3, channels)) * 2 - 1
    return ops.BinaryConv2d(Conv(weights.astype(np.int8), padding=(1, 1), **options))


def norm(channels: int, *, mean: float) -> BatchNorm:
    rng = np.random.default_rng(0)
    means, variance, weight = rng.normal(mean, 2, channels), rng.uniform(1, 9, channels), rng.uniform(0.5, 2, channels)
    return BatchNorm(1e-5, vector(*means), vector(*variance), vector(*weight), vector(*np.zeros(channels)))


NETWORKS: dict[str, tuple[Op, ...]] = {
    "dense, |sums|": (Flatten(), linear(8, 96), Abs(), norm(8, mean=7), ops.Sign(), linear(5, 8, seed=1)),
    "convolution, |sums|": (
        conv(6, 4, seed=2), Abs(), norm(6, mean=5), ops.Sign(), conv(4, 6, seed=3), Abs(), norm(4, mean=5), ops.Sign(),
        Flatten(), linear(5, 96, seed=4),
    ),
    "dense, shuffled": (Flatten(), linear(8, 96), norm(8, mean=0), ops.Sign(), ChannelShuffle(2), linear(5, 8, seed=1)),
    "groups, shuffled": (
        conv(8, 4, seed=5), norm(8, mean=0), ops.Sign(), ChannelShuffle(4), conv(4, 2, seed=6, groups=4),
        norm(4, mean=0), ChannelShuffle(2), ops.Sign(), Flatten(), linear(5, 96, seed=7),
    ),
    "both": (
        conv(6, 4, seed=8), ChannelShuffle(3), Abs(), norm(6, mean=5), ops.Sign(), Flatten(), linear(5, 144, seed=9),
    ),
}  # fmt: skip
FOLDINGS = (
    (1, False, (0.0, 0.0)),
    (2, False, (0.3, 0.3)),
    (1, True, (0.3, 0.0)),
)
"""PE and SIMD at most, whether hardwired, and the probabilities of stalls before and behind the core."""


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, (count, *SHAPE))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_level_is_equal(name: str):
    trained = chain(*NETWORKS[name], shape=SHAPE)
    graph = integerize(trained, check=True)
    (scores,) = evaluate(trained, {"x": images(200)}).values()
    (labels,) = evaluate(graph, {"x": images(200)}).values()
    np.testing.assert_array_equal(labels, scores.argmax(axis=1))
    np.testing.assert_array_equal(PackedKernel(graph)(images(200)), labels)
    assert len(set(labels.tolist())) > 2
    for most, hardwired, stalls in FOLDINGS:
        check_rtl(folded(graph, most=most, hardwired=hardwired), graph, images(FRAMES), stalls=stalls)


@pytest.mark.parametrize("name", ["convolution, |sums|", "dense, shuffled"])
def test_searched_foldings(name: str):
    graph = integerize(chain(*NETWORKS[name], shape=SHAPE))
    chosen = schedule(graph, DEVICE, target_fps=2_000_000)
    assert chosen.frames_per_second >= 2_000_000
    check_rtl(chosen, graph, images(FRAMES), stalls=(0.0, 0.0))


class Network(nn.Module):
    """A convolution in groups whose bits are shuffled, then a layer that decides by |sums|."""

    def __init__(self):
        super().__init__()
        shuffled = [BinaryConv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6), Sign(), nn.ChannelShuffle(2)]
        self.features = nn.Sequential(InputThreshold(1), ToChannelsFirst(), *shuffled)
        self.decision = nn.Sequential(ToChannelsLast(), nn.Flatten(), BinaryLinear(48, 8))
        self.norm = nn.BatchNorm1d(8)
        self.scores = nn.Sequential(Sign(), BinaryLinear(8, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.norm(self.decision(self.features(x)).abs()))


def test_the_ladder_from_torch_to_the_rtl(tmp_path: Path):
    torch.manual_seed(0)
    network = Network().eval()
    network.norm.running_mean = torch.full((8,), 4.0)
    with known():
        save(network, tmp_path / "model.pt", example_input=images(50), input_range=(0, 1))
        climbed = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20)
    assert [step.upper for step in climbed.steps] == ["trained graph", "integer graph", "packed kernel", "RTL"]
    assert climbed.is_equal

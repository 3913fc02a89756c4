"""Which channels go together, and that a smaller graph reads what the larger one reads of those that stay."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.export.save_model import graph_of
from bnnhw.model.pruning.links import Link, binary_op, find_links, remove_channels
from bnnhw.model.pruning.ties import Ties
from bnnhw.model.pruning.values import inputs_of
from tests.branches import DenseDigits, ForkedDense, SummedDense, layer, shaken
from tests.random_branches import HI, SHAPE, random_network

DIGITS = (8, 8, 1)


class Partly(nn.Module):
    """The channels of two layers side by side, added to those of a third; 4 and 2 are tied to 6."""

    def __init__(self):
        super().__init__()
        self.binarise, self.norm = InputThreshold(7.5), nn.BatchNorm1d(6)
        self.a, self.b, self.c = (BinaryLinear(64, width) for width in (4, 2, 6))
        self.scores = nn.Sequential(Sign(), BinaryLinear(6, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarise(x).flatten(1)
        c = self.c(x)
        return self.scores(self.norm(torch.cat([self.a(x), self.b(x)], dim=1) + c))


class AddedToItself(nn.Module):
    """The channels of a layer, added to themselves in another order of its branches: rows of one layer are tied."""

    def __init__(self):
        super().__init__()
        self.binarise = InputThreshold(7.5)
        self.a, self.b = (layer(BinaryLinear(64, width), width, bits=2) for width in (4, 2))
        self.scores = nn.Sequential(BinaryLinear(6, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarise(x).flatten(1)
        a, b = self.a(x), self.b(x)
        return self.scores(torch.cat([a, b], dim=1) + torch.cat([b, a], dim=1))


class AddedToTheInput(nn.Module):
    """A layer's sums and the pixels that it reads."""

    def __init__(self):
        super().__init__()
        self.flat, self.a, self.norm = nn.Flatten(), BinaryLinear(64, 64), nn.BatchNorm1d(64)
        self.scores = nn.Sequential(Sign(), BinaryLinear(64, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.flat(x)
        return self.scores(self.norm(self.a(x) + x))


class InGroups(nn.Module):
    """A layer that two read, one of them in groups."""

    def __init__(self):
        super().__init__()
        self.stem = DenseDigits().stem
        self.a = layer(BinaryConv2d(8, 4, 3, padding=1, groups=2), 4)
        self.b = layer(BinaryConv2d(8, 4, 1), 4)
        self.scores = nn.Sequential(nn.Flatten(), BinaryLinear(64 * 8, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.scores(torch.cat([self.a(x), self.b(x)], dim=1))


def moved() -> nn.Sequential:
    """Blocks as channels, channels as blocks, and borders left out."""
    return nn.Sequential(
        *(InputThreshold(7.5), ToChannelsFirst(), layer(BinaryConv2d(1, 8, 3, padding=1), 8), nn.PixelUnshuffle(2)),
        *(layer(BinaryConv2d(32, 8, 1), 8), nn.PixelShuffle(2), nn.ZeroPad2d((-1, -1, 0, 0))),
        *(nn.Flatten(), BinaryLinear(96, 3), TensorNorm()),
    )


def graph(network: nn.Module, shape: tuple[int, ...] = DIGITS, hi: int = 16) -> Graph:
    images = np.random.default_rng(0).integers(0, hi + 1, (4, *shape))
    return graph_of(shaken(network), example_input=images, input_range=(0, hi))


IN_GROUPS = "layer 'a.0' {} its channels in 2 groups, which must stay equally large"
LINKS = {
    "forked": (ForkedDense(), ["a.0 > scores.0: 24", "b.0 > scores.0: 16"]),
    "summed": (SummedDense(), ["a b > c.0 d.0: 24", "c.0 d.0 > scores.0: 24"]),
    "dense": (
        DenseDigits(),
        ["stem.1 > dense.0.0 dense.1.0 scores.1: 8", "dense.0.0 > dense.1.0 scores.1: 8", "dense.1.0 > scores.1: 8"],
    ),
    "partly": (Partly(), ["c a > scores.1: 4", "c b > scores.1: 2"]),
    "added to itself": (AddedToItself(), ["a.0 b.0 > scores.0: 2"]),
    "added to the input": (
        AddedToTheInput(),
        ["a > a scores.1: 1, channels that are added to the network's input 'input' must stay"],
    ),
    "in groups": (
        InGroups(),
        [f"stem.1 > a.0 b.0: 8, {IN_GROUPS.format('reads')}", f"a.0 > scores.1: 4, {IN_GROUPS.format('makes')}",
         "b.0 > scores.1: 4"],
    ),
    "moved": (moved(), ["2.0 > 4.0: 8", "4.0 > 8: 2"]),
}  # fmt: skip


def described(link: Link) -> str:
    ends = f"{' '.join(link.producers)} > {' '.join(link.readers)}: {link.channels}"
    return ends if link.obstacle is None else f"{ends}, {link.obstacle}"


@pytest.mark.parametrize("name", LINKS)
def test_links(name: str) -> None:
    network, links = LINKS[name]
    assert [described(link) for link in find_links(graph(network))] == links


def test_a_channel_goes_with_all_places_that_it_is_moved_to() -> None:
    large = graph(moved())
    small = remove_channels(large, find_links(large)[0], np.arange(8) > 0)
    small = remove_channels(small, find_links(small)[1], np.arange(2) > 0)
    before, after = ([binary_op(one, name).product.weights for name in ("2.0", "4.0", "8")] for one in (large, small))
    kept = before[0][1:], before[1][4:, :, :, 4:], before[2][:, 1::2]
    assert all(np.array_equal(one, other) for one, other in zip(after, kept, strict=True))
    infer_types(small)


@pytest.mark.parametrize("seed", range(20))
@torch.no_grad()
def test_what_is_removed_is_missing_and_nothing_else(seed: int) -> None:
    file = graph(random_network(seed), SHAPE, HI)
    images = torch.from_numpy(np.random.default_rng(seed).integers(0, HI + 1, (10, *SHAPE))).float()
    rng, links = np.random.default_rng(seed), find_links(file)
    for link in links:
        if link.obstacle is not None:
            continue
        kept = rng.random(link.channels) < 0.5
        kept[rng.integers(link.channels)] = True
        smaller = remove_channels(file, link, kept)
        infer_types(smaller)
        reader = link.readers[0]  # what it reads depends on none of the others
        columns, rows = ((own < 0) | kept[own] for own in (link.columns(file, reader), link.rows(file, reader)))
        (less, _), (more, _) = (inputs_of(one, reader, images) for one in (smaller, file))
        assert torch.equal(less, more[:, torch.from_numpy(columns)])
        weights = binary_op(file, reader).product.weights[rows]
        weights = weights if columns.all() else weights[..., columns]
        assert np.array_equal(binary_op(smaller, reader).product.weights, weights)
    assert links


def test_the_first_reason_stays() -> None:
    ties = Ties()
    a, b, c = ties.new(2), ties.new(2, "b stays"), ties.new(2, "c stays")
    ties.tie(b, c)
    ties.tie(a, c)
    assert [ties.reasons[ties.root(channel)] for channel in a.tolist()] == ["b stays"] * 2
    assert ties.root(0) == ties.root(4) != ties.root(1) == ties.root(3)

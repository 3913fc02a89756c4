"""Modules whose values are read twice and meet again: what of them becomes a graph, and how the rest is named."""

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, ToChannelsFirst, ToChannelsLast, load
from bnnhw.model.export.modules import GraphNetwork
from bnnhw.model.export.save_model import save
from bnnhw.model.layers.joins import Add, Concat
from tests.branches import shaken

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 3, 2), dtype=np.uint8)


class Net(nn.Module):
    """`forward` over the layers here, for the signs of images (4, 3, 2)."""

    def __init__(self, forward: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.given, self.sign, self.add, self.cat = forward, Sign(), Add(), Concat()
        self.first, self.last = ToChannelsFirst(), ToChannelsLast()
        self.a, self.b = (nn.Sequential(BinaryConv2d(2, 3, 1), nn.BatchNorm2d(3), Sign()) for _ in range(2))
        self.c, self.d = BinaryConv2d(2, 6, 1), BinaryConv2d(2, 6, 3, padding=1)
        self.norm, self.scores = nn.BatchNorm2d(6), BinaryLinear(6 * 12, 4)

    def forward(self, x: Tensor) -> Any:
        return self.given(self, self.sign(x))


def saved(network: nn.Module, folder: Path, images: np.ndarray = IMAGES) -> Graph:
    return save(network, folder / "model.pt", example_input=images)


def joined(self: Net, x: Tensor) -> Tensor:
    x = self.first(x)
    return self.scores(torch.cat([self.a(x), self.b(x)], 1).flatten(1))


def joined_last(self: Net, x: Tensor) -> Tensor:
    x = self.first(x)
    both = [self.last(self.a(x)), self.b(x).permute(0, 2, 3, 1)]
    return self.scores(torch.concat(both, dim=-1).flatten(1))


def joined_flat(self: Net, x: Tensor) -> Tensor:
    """Two images are flattened channels first, one of them behind what was last already."""
    x = self.first(x)
    return self.scores(self.cat(self.a(x).flatten(1), self.last(self.b(x)).flatten(1)))


def added(self: Net, x: Tensor) -> Tensor:
    x = self.first(x)
    y = self.c(x)
    y += self.d(x)
    return self.scores(self.sign(self.norm(y)).flatten(1))


def added_flat(self: Net, x: Tensor) -> Tensor:
    x = self.first(x)
    return self.scores(self.sign(torch.add(self.c(x).flatten(1), self.d(x).flatten(1), alpha=1)))


def added_to_itself(self: Net, x: Tensor) -> Tensor:
    y = self.c(self.first(x))
    return self.scores(self.sign(self.norm(y + y)).flatten(1))


def added_by_layers(self: Net, x: Tensor) -> Tensor:
    x = self.first(x)
    return self.scores(self.sign(self.add(self.c(x), self.d(x))).flatten(1))


def with_signs_clipped(self: Net, x: Tensor) -> Tensor:
    """A hard tanh of signs side by side does nothing."""
    x = self.first(x)
    return self.scores(nn.functional.hardtanh(torch.cat([self.a(x), self.b(x)], 1)).flatten(1))


def for_its_size(self: Net, x: Tensor) -> Tensor:
    """A value of which only the size is read."""
    x = self.first(x)
    y = torch.cat([self.a(x), self.b(x)], 1)
    return self.scores(y.reshape(self.c(x).shape[0], -1))


@pytest.mark.parametrize(
    "forward",
    [
        *(joined, joined_last, joined_flat, added, added_flat, added_to_itself, added_by_layers, with_signs_clipped),
        for_its_size,
    ],
)
def test_a_graph_is_saved_and_loaded(tmp_path: Path, forward: Callable[[Net, Tensor], Tensor]) -> None:
    network = shaken(Net(forward))
    graph = saved(network, tmp_path)
    ops = [node.op.to_plain().op for node in graph.nodes]
    assert {"add", "concat"} & {*ops}
    assert "hard_tanh" not in ops
    assert torch.load(tmp_path / "model.pt", weights_only=True)["version"] == 2
    again = load(tmp_path / "model.pt")
    assert isinstance(again, GraphNetwork)
    x = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (60, 4, 3, 2))).float()
    assert torch.equal(again(x), network(x))
    saved(nn.Sequential(again), tmp_path)
    assert torch.equal(load(tmp_path / "model.pt")(x), network(x))


def test_both_branches_turn_a_value_once(tmp_path: Path) -> None:
    saved(shaken(Net(joined)), tmp_path)
    kinds = [type(layer).__name__ for layer in load(tmp_path / "model.pt").modules()]
    assert kinds.count("ToChannelsFirst") == kinds.count("ToChannelsLast") == 1


def test_a_chain_is_version_1(tmp_path: Path) -> None:
    network = shaken(Net(lambda self, x: self.scores(self.sign(self.norm(self.c(self.first(x)))).flatten(1))))
    saved(network, tmp_path)
    assert torch.load(tmp_path / "model.pt", weights_only=True)["version"] == 1
    assert isinstance(load(tmp_path / "model.pt"), nn.Sequential)


FLAT = r"which are flattened in different orders; flatten both from images with channels first, or both with"
TURNED = r"with channels first, and 'sign', with channels last; turn one of them by bnnhw.model.ToChannelsFirst or"


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda self, x: self.first(x) + 1, r"^'add' adds a number; use the layer bnnhw.model.Affine$"),
        (lambda self, x: 1 + self.first(x), r"^layer 'add' takes several values of the network, not 1$"),
        (lambda self, x: torch.add(x, x, alpha=2), r"^'add' has alpha=2; only alpha=1 is supported$"),
        (lambda self, x: operator.mul(x, x), r"^'mul' is not supported by export; use the layer bnnhw.model.Affine; b"),
        (lambda self, x: torch.cat([x, x], 1), r"^layer 'cat' joins axis 1 of images with channels last; only chan"),
        (lambda self, x: torch.cat([x, x]), r"^layer 'cat' joins axis 0 of .* are supported: axis 3$"),
        (lambda self, x: torch.cat([self.first(x)] * 2, -1), r"^layer 'cat' joins axis -1 of .* first; .*: axis 1$"),
        (lambda self, x: torch.cat([x.flatten(1)] * 2, 0), r"^layer 'cat' joins axis 0 of these values; .*: axis 1$"),
        (
            lambda self, x: self.c(self.first(x)).flatten(1) + self.last(self.d(self.first(x))).flatten(1),
            rf"^layer 'add' takes 'flatten' and 'flatten#2', {FLAT}",
        ),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, forward: Callable[[Net, Tensor], Tensor], message: str) -> None:
    network = shaken(Net(lambda self, x: forward(self, x).flatten(1)))
    with pytest.raises(ValueError, match=message):
        saved(network, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_values_that_lie_differently_are_named(tmp_path: Path) -> None:
    square = np.random.default_rng(0).integers(0, 256, (9, 2, 2, 2), dtype=np.uint8)
    network = shaken(Net(lambda self, x: (self.first(x) + x).flatten(1)))
    with pytest.raises(ValueError, match=rf"^layer 'add' takes 'sign', {TURNED}"):
        saved(network, tmp_path, square)

"""A network, and ways of changing and wrapping it and its children."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from tests.model.toy import random_images, scramble

IMAGES = random_images()
X = torch.from_numpy(random_images(200, seed=9)).float()


class Net(nn.Module):
    """h is layers 0 to 2, s the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.t = InputThreshold(110)
        self.h = nn.Sequential(BinaryLinear(12, 8), nn.BatchNorm1d(8), Sign())
        self.s = nn.Sequential(BinaryLinear(8, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        return self.s(self.h(self.t(x).flatten(1)))


def changed(change: Callable[[Any], object], kind: type[Net] = Net) -> Callable[[], nn.Module]:
    """A network after `change` has been at it."""

    def make() -> nn.Module:
        network = scramble(kind())
        change(network)
        return network

    return make


def child(wrap: Callable[[nn.Module], Any], name: str = "h") -> Callable[[], nn.Module]:
    """A network with a wrapped child."""
    return changed(lambda network: setattr(network, name, wrap(getattr(network, name))))


def whole(wrap: Callable[[nn.Module], Any]) -> Callable[[], Any]:
    return lambda: wrap(scramble(Net()))


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module, backend="eager")  # pyright: ignore[reportReturnType]


def run(module: nn.Module) -> nn.Module:
    module(X)
    return module

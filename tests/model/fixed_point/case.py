"""A small residual network of a user's own, in real numbers, and images for it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import BinaryConv2d, Sign, ToChannelsFirst

__all__ = ["OwnResidual", "images"]


class OwnResidual(nn.Module):
    """A stem of real weights; two blocks, of which one reads clipped values twice; channels side by side; a pooling."""

    def __init__(self, *, first: Any = None, second: Any = None):
        super().__init__()
        self.turn = ToChannelsFirst()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(4)
        self.first = BinaryConv2d(4, 4, 3, padding=1, activation=Sign()) if first is None else first
        self.first_norm = nn.BatchNorm2d(4)
        self.second = BinaryConv2d(4, 4, 3, padding=1, activation=Sign()) if second is None else second
        self.second_norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.scores = nn.Linear(8 * 4 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.hardtanh(self.stem_norm(self.stem(self.turn(x))), -4, 3)
        x = x + self.first_norm(self.first(x))
        y = self.relu(torch.add(x, self.second_norm(self.second(x))))
        return self.scores(self.flatten(self.pool(torch.cat([x, y], 1))))


def images(count: int = 64) -> Tensor:
    """(count, 8, 8, 1) uint8, the same each time."""
    return torch.randint(0, 256, (count, 8, 8, 1), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)

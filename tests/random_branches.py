"""Random series-parallel networks in torch, each from a seed: all that the compiler has exact integers for."""

import random

import torch
from torch import Tensor, nn

from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, TensorNorm, ToChannelsFirst

from .branches import shaken

__all__ = ["HI", "SHAPE", "random_network"]

SHAPE, HI = (4, 4, 2), 16


class Added(nn.ModuleList):
    """The sum of what its branches make of the same value."""

    def forward(self, x: Tensor) -> Tensor:
        first, *others = [branch(x) for branch in self]
        for other in others:
            first = first + other
        return first


class Joined(nn.ModuleList):
    """The channels of its branches side by side."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=1)


def random_network(seed: int) -> nn.Module:
    """For images of SHAPE, integers from 0 to HI, in eval mode; its scores are of 5 classes."""
    torch.manual_seed(seed)
    return shaken(Draw(seed).network(), seed=seed)


class Draw:
    """Makes the parts of a network, each for values with `channels` channels."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def network(self) -> nn.Module:
        binarise, channels, size = self.random.random() < 0.5, SHAPE[2], SHAPE[0]
        blocks = [ToChannelsFirst(), InputThreshold(7.5) if binarise else nn.Identity()]
        for _ in range(self.random.randint(1, 2)):
            stride = self.random.choice((1, 1, 2))
            rows, bits = self.random.choice((2, 4, 6)), self.random.choice((1, 2))
            block, channels = self.block(channels, rows, stride, bits, depth=2)
            size //= stride
            blocks.append(block)
        dense = [nn.Flatten(), BinaryLinear(channels * size**2, 5), TensorNorm()]
        mean = [BinaryConv2d(channels, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*blocks, *self.random.choice((dense, mean)))

    def block(self, channels: int, rows: int, stride: int, bits: int, depth: int) -> tuple[nn.Module, int]:
        """(a layer, a few blocks one behind the other, or branches of such that meet again; its channels).

        Its values are smaller than its inputs by `stride`, and of so many bits: their sums are of one bit more or two.
        """
        kind = self.random.choice(("layer", "series", "join", "add")) if depth else "layer"
        if kind == "series":
            one, between = self.block(channels, rows, stride, self.random.choice((1, 2)), depth - 1)
            two, after = self.block(between, rows, 1, bits, depth - 1)
            return nn.Sequential(one, two), after
        if kind == "layer" or (kind == "add" and bits == 1):
            return self.layer(channels, rows, stride, bits), rows
        count = self.random.randint(2, 3)
        if kind == "join":
            branches = [self.block(channels, rows, stride, bits, depth - 1) for _ in range(count)]
            return Joined(branch for branch, _ in branches), sum(after for _, after in branches)
        return Added(self.layer(channels, rows, stride, self.random.choice((1, bits))) for _ in range(count)), rows

    def layer(self, channels: int, rows: int, stride: int, bits: int) -> nn.Module:
        """Dot products of one layer, or sums of those of several, perhaps pooled or grown; batch norm, activation."""
        pools = (nn.Identity(), nn.MaxPool2d(stride), nn.AvgPool2d(stride)) if stride > 1 else (nn.Identity(),)
        pool = self.random.choice(pools)
        sums = [self.sums(channels, rows, stride, pool) for _ in range(self.random.choice((1, 1, 2, 3)))]
        body: list[nn.Module] = [sums[0] if len(sums) == 1 else Added(sums)]
        if not isinstance(pool, nn.AvgPool2d) and self.random.random() < 0.3:
            more, channels = self.more(rows)
            body += [more, nn.BatchNorm2d(channels), Sign(), self.sums(channels, rows, 1, nn.Identity())]
        return nn.Sequential(*body, nn.BatchNorm2d(rows), Sign() if bits == 1 else Quantise(bits))

    def more(self, rows: int) -> tuple[nn.Module, int]:
        """(a layer that adds to its sums, or puts beside them, dot products of their own signs; its channels)."""
        own = nn.Sequential(nn.BatchNorm2d(rows), Sign(), self.sums(rows, rows, 1, nn.Identity()))
        branches = [nn.Identity(), own]
        return (Added(branches), rows) if self.random.random() < 0.5 else (Joined(branches), 2 * rows)

    def sums(self, channels: int, rows: int, stride: int, pool: nn.Module) -> nn.Module:
        """Dot products that are smaller by `stride`, by way of `pool` where it is one."""
        kernel, kept = self.random.choice((1, 3)), isinstance(pool, nn.Identity)
        groups = self.random.choice([n for n in (1, 1, 2) if channels % n == rows % n == 0])
        product = BinaryConv2d(
            channels, rows, kernel, stride=stride if kept else 1, padding=kernel // 2, groups=groups,
            pad_value=self.random.choice((-1, 0, 1)),
        )  # fmt: skip
        return product if kept else nn.Sequential(product, pool)

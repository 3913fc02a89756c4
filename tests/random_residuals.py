"""Random residual networks in fixed point, each from a seed: shortcuts, strides, activations, averages, bits."""

import random

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import BinaryConv2d, Sign, ToChannelsFirst
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.layers.shifts import RPReLU, Shift
from bnnhw.model.layers.shortcuts import SubsampleAndPad

__all__ = ["HI", "SHAPE", "random_residual"]

SHAPE, HI = (6, 6, 2), 16


class Block(nn.Module):
    """y = squash(body(x) + shortcut(x)), a residual, perhaps of functions."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, squash: nn.Module | None):
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x) + self.shortcut(x)
        return functional.leaky_relu(y, 0.1) if self.squash is None else self.squash(y)


def random_residual(seed: int) -> nn.Module:
    """For images of SHAPE, integers from 0 to HI, in eval mode, with exponents that have seen images; its scores are of
    3 classes."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        draw = Draw(seed)
        network = in_fixed_point(draw.network(), draw.options())
        for parameter in network.parameters():
            if parameter.ndim == 1:
                nn.init.normal_(parameter)
        for name, module in network.named_modules():
            if isinstance(module, nn.PReLU | RPReLU) and not name.endswith(".leaking"):  # thresholds stand behind it
                slope = module.slope if isinstance(module, RPReLU) else module.weight
                slope.data.abs_()
        network.train()
        for _ in range(3):
            network(torch.randint(0, HI + 1, (50, *SHAPE)).float())
    return network.eval()


class Draw:
    """Makes the parts of a network."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def options(self) -> FixedPointOptions:
        bits, weight_bits = self.random.randint(4, 16), self.random.choice((1, 2, 3, 8))
        return FixedPointOptions(bits=bits, weight_bits=weight_bits, score_bits=self.random.randint(8, 16))

    def network(self) -> nn.Module:
        channels, size = self.random.choice((2, 3)), SHAPE[0]
        stem = nn.Conv2d(SHAPE[2], channels, 3, padding=1, bias=self.random.random() < 0.5)
        layers: list[nn.Module] = [ToChannelsFirst(), stem, nn.BatchNorm2d(channels), self.squash(channels)]
        for _ in range(self.random.choice((1, 1, 2))):
            stride, width = self.random.choice((1, 1, 2, 3)), self.random.choice((channels, 4))
            if size % stride:
                stride = 1
            layers.append(self.block(channels, width, stride))
            channels, size = width, size // stride
        pool, left = self.random.choice(
            ((nn.AdaptiveAvgPool2d(1), 1), (nn.AvgPool2d(size), 1), (nn.Identity(), size), self.windows(size))
        )
        norm = nn.BatchNorm1d(channels) if self.random.random() < 0.5 and left == 1 else nn.Identity()
        return nn.Sequential(*layers, pool, nn.Flatten(), norm, nn.Linear(channels * left**2, 3))

    def windows(self, size: int) -> tuple[nn.Module, int]:
        """(an average of windows that may overlap, rows of what it gives)."""
        kernel = min(size, self.random.choice((2, 3)))
        stride = self.random.choice((kernel, max(1, kernel - 1)))
        return nn.AvgPool2d(kernel, stride), (size - kernel) // stride + 1

    def block(self, channels: int, width: int, stride: int) -> nn.Module:
        body: list[nn.Module] = [] if self.random.random() < 0.7 else [Shift(channels)]
        body += [Sign(), self.binary(channels, width, stride), nn.BatchNorm2d(width)]
        if self.random.random() < 0.4:
            body += [self.squash(width, limits=(-1, 1)), Sign(), self.binary(width, width, 1), nn.BatchNorm2d(width)]
        squash = self.squash(width) if self.random.random() < 0.8 else None
        return Block(nn.Sequential(*body), self.shortcut(channels, width, stride), squash)

    def binary(self, channels: int, width: int, stride: int) -> nn.Module:
        kernel = 3 if stride == 1 else self.random.choice((1, 3))
        return BinaryConv2d(
            channels, width, kernel, stride=stride, padding=kernel // 2, pad_value=self.random.choice((-1, 0, 1))
        )

    def squash(self, channels: int, *, limits: tuple[float, float] | None = None) -> nn.Module:
        """What stands behind values; `limits` are those of a hard tanh that goes into thresholds."""
        lo, hi = limits or (self.random.choice((-2, -1, -0.3)), self.random.choice((0.5, 1, 3)))
        return self.random.choice(
            (
                nn.Identity(), nn.ReLU(), nn.Hardtanh(lo, hi), nn.LeakyReLU(0.2), nn.PReLU(channels), nn.PReLU(),
                RPReLU(channels),
            )
        )  # fmt: skip

    def shortcut(self, channels: int, width: int, stride: int) -> nn.Module:
        if stride == 1 and channels == width:
            return self.random.choice((nn.Identity(), nn.BatchNorm2d(channels)))
        if self.random.random() < 0.3 and width >= channels:
            return SubsampleAndPad(stride=stride, padding=width - channels)
        pool = self.random.choice((nn.AvgPool2d(stride), nn.MaxPool2d(stride), None))
        conv = nn.Conv2d(channels, width, 1, stride=1 if pool else stride, bias=False)
        return nn.Sequential(*([pool] if pool else []), conv, nn.BatchNorm2d(width))

"""Small networks in torch whose branches meet again: what tests of graphs share."""

import torch
from torch import Tensor, nn

from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, TensorNorm, ToChannelsFirst

__all__ = ["DenseDigits", "ForkedDense", "SummedDense", "layer", "shaken"]


def layer(product: nn.Module, channels: int, *behind: nn.Module, bits: int = 1) -> nn.Sequential:
    """A product, other layers, batch norm and an activation of so many bits."""
    norm = nn.BatchNorm2d(channels) if isinstance(product, BinaryConv2d) else nn.BatchNorm1d(channels)
    return nn.Sequential(product, *behind, norm, Sign() if bits == 1 else Quantise(bits))


class ForkedDense(nn.Module):
    """Two dense layers read the same bits of (8, 8, 1) pixels, and their own lie side by side for the next layer."""

    def __init__(self, widths: tuple[int, int] = (24, 16), classes: int = 10):
        super().__init__()
        self.binarise = InputThreshold(7.5)
        self.a, self.b = (layer(BinaryLinear(64, width), width) for width in widths)
        self.scores = nn.Sequential(BinaryLinear(sum(widths), classes), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarise(x).flatten(1)
        return self.scores(torch.cat([self.a(x), self.b(x)], dim=1))


class SummedDense(nn.Module):
    """Sums of two dense layers are added before one batch norm and sign, activations of 2 bits behind it."""

    def __init__(self, width: int = 24, classes: int = 10):
        super().__init__()
        self.binarise, self.norm, self.sign = InputThreshold(7.5), nn.BatchNorm1d(width), Sign()
        self.a, self.b = BinaryLinear(64, width), BinaryLinear(64, width)
        self.c, self.d = (layer(BinaryLinear(width, width), width, bits=2) for _ in range(2))
        self.scores = nn.Sequential(BinaryLinear(width, classes), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.binarise(x).flatten(1)
        x = self.sign(self.norm(self.a(x) + self.b(x)))
        return self.scores(self.c(x) + self.d(x))


class DenseDigits(nn.Module):
    """DenseNet's idea for digits of (8, 8, 1): each convolution reads the bits of all before it, side by side.

    `growth` channels a convolution. Source: Huang et al., https://arxiv.org/abs/1608.06993.
    """

    def __init__(self, growth: int = 8, depth: int = 2, classes: int = 10):
        super().__init__()
        self.stem = nn.Sequential(ToChannelsFirst(), *layer(BinaryConv2d(1, growth, 3, padding=1), growth))
        self.dense = nn.ModuleList(
            layer(BinaryConv2d(growth * count, growth, 3, padding=1, pad_value=-1), growth)
            for count in range(1, depth + 1)
        )
        self.pool = nn.MaxPool2d(2)
        self.scores = nn.Sequential(nn.Flatten(), BinaryLinear(16 * growth * (depth + 1), classes), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.dense:
            x = torch.cat([x, block(x)], dim=1)
        return self.scores(self.pool(x))


def shaken(network: nn.Module, *, seed: int = 0, falling: bool = True) -> nn.Module:
    """The network in eval mode, all parameters at random; batch norms without factors below 0 where not `falling`."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
                if not tensor.is_floating_point():
                    continue
                drawn = torch.randn(tensor.shape, generator=generator)
                if name == "running_var":
                    drawn = drawn.abs() * 20 + 0.1
                elif name == "running_mean":
                    drawn *= 4
                elif name == "weight" and not falling and isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                    drawn = drawn.abs()
                tensor.copy_(drawn)
    return network.eval()

"""Images between the order of pictures and files, NHWC, and that of torch's layers, NCHW.

Tests: tests/test_convolutions.py
"""

from torch import Tensor, nn

from bnnhw.model.registry import Turn, op_of

__all__ = ["ToChannelsFirst", "ToChannelsLast"]


class ToChannelsFirst(nn.Module):
    """(N, H, W, C) -> (N, C, H, W): what convolutions, poolings and `BatchNorm2d` take. The memory stays as it is."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)


class ToChannelsLast(nn.Module):
    """(N, C, H, W) -> (N, H, W, C). A Flatten behind it gives raster order, channel fastest, as hardware streams it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


@op_of(ToChannelsFirst)
def _first(module: ToChannelsFirst) -> Turn:
    return Turn(first=True)


@op_of(ToChannelsLast)
def _last(module: ToChannelsLast) -> Turn:
    return Turn(first=False)

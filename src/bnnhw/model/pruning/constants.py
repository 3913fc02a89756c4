"""Channels that are the same whatever the network sees.

Tests: tests/model/pruning/test_prune.py
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from bnnhw.model.export.layer_format import Layer
from bnnhw.model.export.model_file import ModelFile

from .links import Link, shape_before, split_at

__all__ = ["constant_channels"]

_REAL = 1e30  # greater than any real input of a layer


@torch.no_grad()
def constant_channels(file: ModelFile, link: Link) -> Tensor:
    """What each of the link's channels is at the consumer's input where it is constant, NaN where not: (channels,).

    What lies between is monotone in each channel, so a channel is constant if it is the same for the least sum that
    the producer can reach and for the greatest: batch norms with a factor of 0 and thresholds out of reach.
    """
    _, producer, between, _ = split_at(file, link)
    weight = producer.weight
    reach = weight[0].numel() * _greatest_input(file, file.layers[: link.producer])
    pixels = shape_before(file, link.producer + 1)[:-1]
    sums = torch.tensor([-reach, reach]).view(2, 1, *(1,) * len(pixels)).expand(2, link.channels, *pixels)
    values = between(producer.scaled(sums, producer.scale))
    if values.ndim == 4:
        values = values.permute(0, 2, 3, 1)
    values = values.reshape(-1, link.channels)
    return torch.where((values == values[0]).all(0), values[0], torch.nan)


def _greatest_input(file: ModelFile, layers: Iterable[Layer]) -> float:
    """No input of the layer behind `layers` is further from 0; padding included."""
    greatest = float(max(abs(file.lo), abs(file.hi), 1))
    for layer in layers:
        match layer.op:
            case "sign" | "input_threshold":
                greatest = 1.0
            case "quantise":
                greatest = 2.0 ** layer.attributes["bits"] - 1
            case "batch_norm" | "affine" | "binary_linear" | "binary_conv2d":
                greatest = _REAL
    return greatest

"""How many binary weights change sign: high while a network looks for its bits, near 0 when it has found them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["flip_rates", "mean_flip_rate", "weight_signs"]


@torch.no_grad()
def weight_signs(network: nn.Module) -> dict[str, Tensor]:
    """For each binary layer, by its dotted name, which of the numbers that it multiplies by are at least 0."""
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, BinaryLayer)}
    return {name: layer.quantised().values >= 0 for name, layer in layers.items()}


def flip_rates(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, float]:
    """The share of weights, of each layer, whose sign differs: two results of `weight_signs` of one network."""
    rates = [(before[name] != signs).double().mean() for name, signs in after.items()]
    return dict(zip(after, torch.stack(rates).tolist(), strict=True)) if rates else {}


def mean_flip_rate(rates: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    """The share in all layers together, from those of layers with so many weights; 0 where there are none."""
    total = sum(sizes.values())
    return sum(rates[name] * size for name, size in sizes.items()) / total if total else 0.0

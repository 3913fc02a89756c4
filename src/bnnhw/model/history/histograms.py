"""How latent weights are spread: binary training drives them apart, or leaves them near 0, where they flip."""

from dataclasses import dataclass

import torch
from torch import nn

from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["Histogram", "latent_histograms"]

_BINS = 48


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How many values lie in each of `len(counts)` equal parts of [-reach, reach]."""

    reach: float
    counts: tuple[int, ...]


@torch.no_grad()
def latent_histograms(network: nn.Module) -> dict[str, Histogram]:
    """Of each binary layer's latent weights, by its dotted name; `reach` is the greatest magnitude, 1 for zeros."""
    found = {}
    for name, layer in network.named_modules():
        if isinstance(layer, BinaryLayer):
            weight = layer.weight.float().cpu()
            reach = weight.abs().max().item() or 1.0
            counts = torch.histc(weight, _BINS, -reach, reach)
            found[name] = Histogram(reach=reach, counts=tuple(int(count) for count in counts))
    return found

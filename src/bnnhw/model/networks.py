"""The named networks: multilayer perceptrons with binary weights and activations.

`tfc`, `sfc` and `lfc` are FINN's (arXiv:1612.07119): three hidden layers of 64, 256 and 1024. `mlp-2048` and
`mlp-4096` are those of the BNN paper (arXiv:1602.02830), the latter with its dropout. `mlp` leaves the size open.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import nn

from .layers import BinaryLinear, TensorNorm
from .quantise import InputThreshold, Sign

__all__ = ["NETWORKS", "Architecture", "architecture", "mlp"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network's name stands for: the widths of its hidden layers and its dropout in training."""

    widths: tuple[int, ...]
    input_dropout: float = 0.0
    dropout: float = 0.0


NETWORKS = {
    "mlp": Architecture(widths=(64,) * 3),
    "tfc": Architecture(widths=(64,) * 3),
    "sfc": Architecture(widths=(256,) * 3),
    "lfc": Architecture(widths=(1024,) * 3),
    "mlp-2048": Architecture(widths=(2048,) * 3),
    "mlp-4096": Architecture(widths=(4096,) * 3, input_dropout=0.2, dropout=0.5),
}


def architecture(network: str, *, width: int | None = None, depth: int | None = None) -> Architecture:
    """The architecture called `network`; `width` and `depth` of the hidden layers may be chosen for `mlp` only."""
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known ones are {', '.join(NETWORKS)}")
    known = NETWORKS[network]
    if width is None and depth is None:
        return known
    if network != "mlp":
        raise ValueError(f"network {network!r} has fixed widths {known.widths}; choose a width or depth with 'mlp'")
    width, depth = known.widths[0] if width is None else width, len(known.widths) if depth is None else depth
    for name, value in (("width", width), ("depth", depth)):
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1")
    return Architecture(widths=(width,) * depth)


def mlp(
    architecture: Architecture,
    *,
    shape: Sequence[int],
    lo: int,
    hi: int,
    classes: int,
    input_bits: int = 1,
) -> nn.Sequential:
    """A binary perceptron: input -> (binary linear -> batch norm -> sign) for each width -> binary linear -> scores.

    It takes the raw integers of the input as float32, (N, *shape), and gives (N, classes).

    Parameters
    ----------
    architecture : Architecture
    shape : sequence of int
        Of one input, such as (28, 28, 1).
    lo, hi : int
        The least and the greatest value of an input element.
    classes : int
    input_bits : 1 or 8
        1 cuts the input in the middle of its range; 8 feeds it as it is.
    """
    if input_bits not in (1, 8):
        raise ValueError(f"input_bits={input_bits} must be 1 or 8")
    network = nn.Sequential()
    if input_bits == 1:
        network.add_module("binarise", InputThreshold((lo + hi) / 2))
    network.add_module("flatten", nn.Flatten())
    features = prod(shape)
    dropout = architecture.input_dropout
    for number, width in enumerate(architecture.widths, start=1):
        network.add_module(
            f"hidden{number}",
            _block(dropout, linear=BinaryLinear(features, width), norm=nn.BatchNorm1d(width), sign=Sign()),
        )
        features, dropout = width, architecture.dropout
    network.add_module("output", _block(dropout, linear=BinaryLinear(features, classes), norm=TensorNorm()))
    return network


def _block(dropout: float, **layers: nn.Module) -> nn.Sequential:
    """The layers one after the other by name, behind a dropout where there is one."""
    first = {"dropout": nn.Dropout(dropout)} if dropout else {}
    return nn.Sequential(OrderedDict(first | layers))

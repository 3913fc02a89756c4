"""Channels that are the same whatever the network sees.

Tests: tests/model/pruning/test_prune.py
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.model.export.loading import input_of

from .links import Link, split_at

__all__ = ["constant_channels"]

_REAL = 1e30  # greater than any real input of a layer


@torch.no_grad()
def constant_channels(graph: Graph, link: Link) -> Tensor:
    """What each of the link's channels is at the consumer's input where it is constant, NaN where not: (channels,).

    What lies between is monotone in each channel, so a channel is constant if it is the same for the least sum that
    the producer can reach and for the greatest: batch norms with a factor of 0 and thresholds out of reach.
    """
    _, producer, between, _ = split_at(graph, link)
    weight = producer.weight
    reach = weight[0].numel() * _greatest_input(graph, graph.nodes[: link.producer])
    pixels = infer_types(graph)[graph.nodes[link.producer].output].shape[:-1]
    sums = torch.tensor([-reach, reach]).view(2, 1, *(1,) * len(pixels)).expand(2, link.channels, *pixels)
    values = between(producer.scaled(sums, producer.scale))
    if values.ndim == 4:
        values = values.permute(0, 2, 3, 1)
    values = values.reshape(-1, link.channels)
    return torch.where((values == values[0]).all(0), values[0], torch.nan)


def _greatest_input(graph: Graph, nodes: Iterable[Node]) -> float:
    """No input of the layer behind `nodes` is further from 0; padding included."""
    _, lo, hi = input_of(graph)
    greatest = float(max(abs(lo), abs(hi), 1))
    for node in nodes:
        match node.op:
            case ops.Sign() | ops.InputThreshold():
                greatest = 1.0
            case ops.Quantise(bits=bits):
                greatest = 2.0**bits - 1
            case ops.Elementwise() | ops.BinaryLayer():
                greatest = _REAL
    return greatest

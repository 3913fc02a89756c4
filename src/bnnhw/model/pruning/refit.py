"""The layer behind removed channels gets a factor and an offset a row that bring its sums back.

Tests: tests/model/pruning/test_prune.py
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.layers.layers import BinaryLayer

from .constants import constant_channels
from .links import Link, binary_op, input_weights, split_at, with_op

__all__ = ["absorb_constants", "refit"]

_GRID = 1024
_BLOCK = 64  # images at a time


def absorb_constants(before: Graph, after: Graph, link: Link, kept: Tensor) -> Graph:
    """`after` with offsets for what the removed constant channels of `before` added to the consumer's sums.

    Exact but for pixels at a border that is padded with another number. The offsets go into thresholds.
    """
    values = constant_channels(before, link).nan_to_num(0)
    values[kept] = 0
    offsets = (input_weights(before, link).sum(1) * values).sum(1)
    return _with(after, link, torch.ones_like(offsets), offsets)


@torch.no_grad()
def refit(before: Graph, after: Graph, link: Link, images: Tensor) -> Graph:
    """`after` with the factor s and the offset b for each row of the consumer that make s*y' + b nearest to y by least
    squares, y and y' being its sums over `images` before and after the removal.

    ThiNet's own step of this kind scales the input channels (arXiv:1707.06342, section 3.2.3), which bits cannot bear;
    this one costs nothing where a threshold follows. s and b are rounded to 1/1024, so that whole numbers, such as 2
    for channels that were there twice, stay whole. A row that the kept channels tell nothing of keeps s = 1.
    """
    parts = [split_at(graph, link) for graph in (before, after)]
    rows = len(input_weights(before, link))
    count, sums, products = 0, torch.zeros(2, rows, dtype=torch.float64), torch.zeros(2, rows, dtype=torch.float64)
    for block in images.split(_BLOCK):
        y, new = (_sums(head, producer, between, consumer, block) for head, producer, between, consumer in parts)
        count += y.shape[1]
        sums += torch.stack([y.sum(1), new.sum(1)])
        products += torch.stack([(y * new).sum(1), (new * new).sum(1)])
    mean, new_mean = sums / count
    covariance, variance = products[0] / count - mean * new_mean, products[1] / count - new_mean**2
    factor = torch.where((variance > 1e-9) & (covariance > 0), covariance / variance.clamp_min(1e-9), 1.0)
    factor = ((factor * _GRID).round() / _GRID).clamp_min(1 / _GRID)
    offset = ((mean - factor * new_mean) * _GRID).round() / _GRID
    return _with(after, link, factor.float(), offset.float())


def _sums(
    head: torch.nn.Module, producer: torch.nn.Module, between: torch.nn.Module, consumer: BinaryLayer, images: Tensor
) -> Tensor:
    """The consumer's dot products, without factor and offset: (rows, pixels of all images)."""
    consumer.scale = consumer.bias = None
    y = consumer(between(producer(head(images))))
    return y.double().transpose(0, 1).flatten(1)


def _with(graph: Graph, link: Link, factor: Tensor, offset: Tensor) -> Graph:
    """`graph`, the consumer's sums times `factor` plus `offset`, before the factor and offset that it has."""
    if not _bears_reals(graph, link):
        return graph
    op = binary_op(graph, link.consumer)
    scale = torch.ones_like(factor) if op.scale is None else torch.from_numpy(op.scale)
    bias = torch.zeros_like(offset) if op.bias is None else torch.from_numpy(op.bias)
    factors: dict[str, Any] = {}
    if bool((offset != 0).any()):
        factors["bias"] = (bias + offset * scale).numpy()
    if bool((factor != 1).any()):
        factors["scale"] = (factor * scale).numpy()
    changed = replace(op, **factors)  # pyright: ignore[reportArgumentType] ops are dataclasses
    return with_op(graph, link.consumer, changed)


def _bears_reals(graph: Graph, link: Link) -> bool:
    """Whether what follows the consumer takes other sums than integers: averages and binary layers do not."""
    for node in graph.nodes[link.consumer + 1 :]:
        if isinstance(node.op, ops.Sign | ops.Quantise):
            return True
        if isinstance(node.op, ops.AveragePool | ops.BinaryLayer):
            return False
    return True

"""Layers behind removed channels get a factor and an offset a row that bring their sums back.

A layer bears both where an activation follows: a threshold swallows them. Where its sums meet others first, they have
to stay integers: then what meets them has the offset instead, behind the `Add` or `Concat` and before the next float
arithmetic.

Tests: tests/model/pruning/test_prune.py
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph

from .constants import constant_features
from .links import Link, binary_op, input_weights, node_named, with_op
from .offsets import with_offset_behind
from .values import dot_products

__all__ = ["absorb_constants", "refit"]

_GRID = 1024
_BLOCK = 64  # images at a time


def absorb_constants(before: Graph, after: Graph, link: Link, kept: NDArray[np.bool_]) -> Graph:
    """`after` with offsets for what the removed constant channels of `before` added to the readers' sums.

    Exact but for pixels at a border that is padded with another number. The offsets go into thresholds.
    """
    for reader in link.readers:
        rows, columns = link.stays(node_named(before, reader), kept)
        values = np.where(columns, 0, np.nan_to_num(constant_features(before, reader)))
        offsets = (input_weights(before, reader)[rows].sum(axis=1) * values).sum(axis=1).astype(np.float32)
        after = _with(after, reader, np.ones_like(offsets), offsets)
    return after


@torch.no_grad()
def refit(before: Graph, after: Graph, link: Link, kept: NDArray[np.bool_], images: Tensor) -> Graph:
    """`after` with the factor s and the offset b for each row of the readers, one after the other, that make s*y' + b
    nearest to y by least squares, y and y' being its sums over `images` before and after the removal.

    ThiNet's own step of this kind scales the input channels (arXiv:1707.06342, section 3.2.3), which bits cannot bear;
    this one costs nothing where a threshold follows. s and b are rounded to 1/1024, so that whole numbers, such as 2
    for channels that were there twice, stay whole. A row that the kept channels tell nothing of keeps s = 1.
    """
    for reader in link.readers:
        stays, _ = link.stays(node_named(before, reader), kept)
        count, (sums, products) = 0, torch.zeros(2, 2, stays.sum(), dtype=torch.float64)
        for block in images.split(_BLOCK):
            y, new = dot_products(before, reader, block)[torch.from_numpy(stays)], dot_products(after, reader, block)
            count += y.shape[1]
            sums += torch.stack([y.sum(1), new.sum(1)])
            products += torch.stack([(y * new).sum(1), (new * new).sum(1)])
        mean, new_mean = sums / count
        covariance, variance = products[0] / count - mean * new_mean, products[1] / count - new_mean**2
        factor = torch.where((variance > 1e-9) & (covariance > 0), covariance / variance.clamp_min(1e-9), 1.0)
        factor = ((factor * _GRID).round() / _GRID).clamp_min(1 / _GRID)
        if not _bears_reals(before, reader):
            factor = torch.ones_like(factor)
        offset = ((mean - factor * new_mean) * _GRID).round() / _GRID
        after = _with(after, reader, factor.float().numpy(), offset.float().numpy())
    return after


def _with(graph: Graph, reader: str, factor: NDArray[np.float32], offset: NDArray[np.float32]) -> Graph:
    """`graph`, a layer's sums times `factor` plus `offset`, before the factor and offset that it has."""
    if not _bears_reals(graph, reader):
        return with_offset_behind(graph, node_named(graph, reader).output, offset)
    op = binary_op(graph, reader)
    scale = np.ones_like(factor) if op.scale is None else op.scale
    bias = np.zeros_like(offset) if op.bias is None else op.bias
    factors: dict[str, Any] = {}
    if (offset != 0).any():
        factors["bias"] = bias + offset * scale
    if (factor != 1).any():
        factors["scale"] = factor * scale
    changed = replace(op, **factors)  # pyright: ignore[reportArgumentType] ops are dataclasses
    return with_op(graph, reader, changed)


def _bears_reals(graph: Graph, reader: str) -> bool:
    """Whether all that follows a layer takes other sums than integers: averages, joins and binary layers do not."""
    values = {node_named(graph, reader).output}
    for node in graph.nodes:
        if values & set(node.inputs):
            if isinstance(node.op, ops.AveragePool | ops.BinaryLayer | ops.Add | ops.Concat):
                return False
            if not isinstance(node.op, ops.Activation):
                values.add(node.output)
    return True

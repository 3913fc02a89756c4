"""Channels that are the same whatever the network sees.

Tests: tests/model/pruning/test_prune.py
"""

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.model.export.loading import input_of

from .links import APART, Link

__all__ = ["constant_channels", "constant_features"]

_REAL = np.float32(1e30)  # greater than any real value


def constant_channels(graph: Graph, link: Link) -> NDArray[np.bool_]:
    """Whether each of the link's channels is constant for all its readers: (channels,)."""
    constant = np.ones(link.channels, np.bool_)
    for reader in link.readers:
        own = link.columns(graph, reader)
        varies = np.isnan(constant_features(graph, reader)) & (own >= 0)
        constant[own[varies]] = False
    return constant


def constant_features(graph: Graph, reader: str) -> NDArray[np.float64]:
    """What each feature of a layer's input is where it is constant, NaN where not: (features,).

    All between layers with binary weights is monotone in each channel, so a feature is constant if it is the same for
    the least sums that the layers before can reach and for the greatest: batch norms with a factor of 0, and thresholds
    out of reach.
    """
    types, (shape, *ends_of_input) = infer_types(graph), input_of(graph)
    ends = {graph.inputs[0].name: np.stack([np.full(shape, end, np.float32) for end in ends_of_input])}
    for node in graph.nodes:
        inputs = [ends[value] for value in node.inputs]
        if node.name == reader:
            values = inputs[0].reshape(-1, inputs[0].shape[-1])
            return np.where((values == values[0]).all(axis=0), values[0].astype(np.float64), np.nan)
        shape = types[node.output].shape
        if isinstance(node.op, ops.BinaryLayer):
            ends[node.output] = _reach(node.op, inputs[0], shape)
        elif isinstance(node.op, (*APART, ops.Flatten, ops.Concat, ops.Add)):
            made = node.op.reference(*inputs)
            ends[node.output] = np.stack([made.min(axis=0), made.max(axis=0)])
        else:
            ends[node.output] = np.stack([np.full(shape, -_REAL), np.full(shape, _REAL)])
    raise ValueError(f"no layer is called {reader!r}")


def _reach(op: ops.BinaryLayer, ends: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The least and greatest results of a layer whose inputs lie between these; no sum of them is further from 0."""
    greatest = max(float(np.abs(ends).max()), 1.0)  # 1 where it is padded
    reach = np.float32(min(op.product.cols * greatest, float(_REAL)))
    results = op.affine.reference(np.stack([np.full(shape, -reach), np.full(shape, reach)]))
    return np.stack([results.min(axis=0), results.max(axis=0)])

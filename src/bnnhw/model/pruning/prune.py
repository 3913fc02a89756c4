"""Pruning a trained network: which layers, how many channels, and what becomes of the layers behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import torch
from torch import Tensor

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import BinaryLayer
from bnnhw.model.export.loading import input_of

from .constants import constant_channels
from .criteria import Criterion, order_by_magnitude, order_by_thinet
from .links import Link, find_links, remove_channels
from .refit import absorb_constants, refit

__all__ = ["PrunedLayer", "Pruning", "prune"]


@dataclass(frozen=True, kw_only=True)
class PrunedLayer:
    """A layer's channels before and after; `constant` ones of those that went were the same for every image."""

    name: str
    before: int
    after: int
    constant: int


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """A pruned network, its layers that were considered, and by name why others were left alone."""

    graph: Graph
    layers: tuple[PrunedLayer, ...]
    left_alone: Mapping[str, str]


def prune(
    graph: Graph,
    *,
    keep: float,
    by: Criterion = "magnitude",
    layers: Sequence[str] = (),
    images: np.ndarray | Tensor | None = None,
    round_to: int = 1,
    seed: int = 0,
) -> Pruning:
    """Remove output channels of layers with binary weights, the layers one after the other.

    What belongs to a channel goes with it: its row of weights, its batch norm, its column in each layer that reads it.
    These layers make up for the rest as far as a factor and an offset a row can: for constant channels, and by least
    squares on `images` where there are some (`refit`). Channels that are added go together (`links`).

    Parameters
    ----------
    graph : Graph
        Of a trained network.
    keep : float
        Fraction of each layer's channels, above 0 and at most 1; at least one stays.
    by : "magnitude" or "thinet"
        See `criteria`; thinet needs `images`.
    layers : sequence of str
        Names of layers, or of blocks that hold one: `conv3` stands for `conv3.conv`. Layers whose channels are added to
        theirs are pruned with them. Default: all that can be pruned.
    images : integers (N, *shape), optional
        Raw inputs, such as a few hundred training images.
    round_to : int
        The kept channels are rounded up to a multiple, which leaves hardware more foldings to choose from.
    seed : int
        Decides the points that thinet looks at.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep={keep:g} must be above 0 and at most 1")
    if by == "thinet" and images is None:
        raise ValueError("by='thinet' looks at sample images; give some, or prune by 'magnitude'")
    shape, _, _ = input_of(graph)
    examples = None if images is None else torch.as_tensor(images).float()
    if examples is not None and (examples.shape[1:] != shape or not len(examples)):
        raise ValueError(f"images must be (N, {', '.join(map(str, shape))}), not {tuple(examples.shape)}")
    widths, constants, left_alone = _widths(graph), dict[str, int](), dict[str, str]()
    for producers in [link.producers for link in _chosen(graph, layers)]:
        link = next(link for link in find_links(graph) if link.producers == producers)
        if link.obstacle is not None:
            if layers:
                raise ValueError(f"layer {producers[0]!r} cannot be pruned: {link.obstacle}")
            left_alone |= dict.fromkeys(producers, link.obstacle)
            continue
        constants = dict.fromkeys(producers, 0) | constants
        count = min(link.channels, ceil(round(keep * link.channels, 9) / round_to) * round_to)
        if count == link.channels:
            continue
        constant = constant_channels(graph, link)
        if by == "magnitude":
            order = order_by_magnitude(graph, link)
        else:
            assert examples is not None
            order = order_by_thinet(graph, link, examples, seed=seed)
        order = order[(~constant[order]).argsort(kind="stable")]  # constant ones first: they can be made up for
        kept = np.ones(link.channels, np.bool_)
        kept[order[: link.channels - count]] = False
        for producer in producers:
            rows = link.rows(graph, producer)
            constants[producer] += int((constant & ~kept)[rows[rows >= 0]].sum())
        smaller = remove_channels(graph, link, kept)
        if examples is None:
            graph = absorb_constants(graph, smaller, link, kept)
        else:
            graph = refit(graph, smaller, link, kept, examples)
    after = _widths(graph)
    pruned = [
        PrunedLayer(name=name, before=widths[name], after=after[name], constant=constants[name])
        for name in widths
        if name in constants
    ]
    if any(layer.after < layer.before for layer in pruned):
        meta = {name: value for name, value in graph.meta.items() if name != "metrics"}  # they were of another network
        graph = replace(graph, meta={**meta, "metrics": {}, "pruned": {one.name: one.after for one in pruned}})
    return Pruning(graph=graph, layers=tuple(pruned), left_alone=left_alone)


def _chosen(graph: Graph, names: Sequence[str]) -> list[Link]:
    """The links of the layers called so, with those that are tied to them; of all where no names are given."""
    links = find_links(graph)
    known = list(dict.fromkeys(name for link in links for name in link.producers))
    for name in names:
        if not any(_means(name, one) for one in known):
            raise ValueError(f"no layer {name!r} can be pruned; those with channels to remove are {', '.join(known)}")
    return [link for link in links if not names or any(_means(name, own) for name in names for own in link.producers)]


def _widths(graph: Graph) -> dict[str, int]:
    """The rows of each layer with binary weights."""
    return {node.name: node.op.product.rows for node in graph.nodes if isinstance(node.op, BinaryLayer)}


def _means(name: str, layer: str) -> bool:
    return layer == name or layer.startswith(f"{name}.")
